"""The items of the feed `config`: keys and bytes exactly as the contract has them."""

from __future__ import annotations

from jdaemons.mgd.check import check
from jdaemons.mgd.parts import parts


def items(text: str) -> dict[str, bytes]:
    reading = check(text)
    assert [] == reading.problems
    return parts(reading.tree)


def test_every_part_has_its_key_and_its_json() -> None:
    text = """
        system { host-name r1; }
        interfaces {
            ge-0/0/0 {
                description "to r2"; disable; mtu 1500;
                unit 0 { description u; disable; family inet { address 192.0.2.1/24; } family inet6; }
            }
            lo0 { unit 0 { family inet6 { address 2001:db8::1/128; } } }
        }
        routing-options {
            static { route 0.0.0.0/0 { next-hop [ 192.0.2.2 192.0.2.3 ]; preference 7; }
                     route 10.0.0.0/8 discard; }
            rib inet6.0 { static { route ::/0 reject; } }
        }
    """

    assert {
        "system": b'{"host-name":"r1"}',
        "interfaces/ge-0/0/0": (
            b'{"description":"to r2","disable":true,"mtu":1500,"unit":{"0":{"description":"u",'
            b'"disable":true,"family":{"inet":{"address":["192.0.2.1/24"]},"inet6":{}}}}}'
        ),
        "interfaces/lo0": b'{"unit":{"0":{"family":{"inet6":{"address":["2001:db8::1/128"]}}}}}',
        "routing-options/static/inet/0.0.0.0/0": (
            b'{"next-hop":["192.0.2.2","192.0.2.3"],"preference":7}'
        ),
        "routing-options/static/inet/10.0.0.0/8": b'{"discard":true}',
        "routing-options/static/inet6/::/0": b'{"reject":true}',
    } == items(text)


def test_the_order_of_statements_does_not_change_a_byte() -> None:
    one = "interfaces { lo0 { description a; unit 1 { disable; } unit 0; } }"
    other = "interfaces { lo0 { unit 0; unit 1 { disable; } description a; } }"

    assert items(one) == items(other)


def test_an_empty_configuration_has_no_items() -> None:
    assert {} == items("")

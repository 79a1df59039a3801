"""The rules between statements."""

from __future__ import annotations

import pytest

from jdaemons.mgd.check import check


def interface(name: str, *addresses: str, unit: int = 0) -> str:
    inet = " ".join(f"address {each};" for each in addresses if ":" not in each)
    inet6 = " ".join(f"address {each};" for each in addresses if ":" in each)
    families = f"family inet {{ {inet} }} family inet6 {{ {inet6} }}"
    return f"interfaces {{ {name} {{ unit {unit} {{ {families} }} }} }}\n"


def route(text: str) -> str:
    return f"routing-options {{ static {{ {text} }} }}\n"


def route6(text: str) -> str:
    return f"routing-options {{ rib inet6.0 {{ static {{ {text} }} }} }}\n"


def messages(text: str) -> list[str]:
    return [problem.message for problem in check(text).problems]


@pytest.mark.parametrize(
    "text",
    [
        "",
        interface("ge-0/0/0", "192.0.2.1/24", "192.0.2.2/24", "2001:db8::1/64"),
        interface("ge-0/0/0", "192.0.2.1/24") + interface("ge-0/0/1", "198.51.100.1/24"),
        interface("ge-0/0/0", "fe80::1/64") + interface("ge-0/0/1", "fe80::1/64"),
        interface("lo0", "192.0.2.1/32", "2001:db8::1/128"),
        route("route 0.0.0.0/0 next-hop 192.0.2.1;"),
        route("route 10.0.0.0/8 { next-hop [ 192.0.2.1 192.0.2.2 ]; preference 7; }"),
        route("route 10.0.0.0/8 discard; route 11.0.0.0/8 reject;"),
        route6("route ::/0 next-hop 2001:db8::1;"),
        "routing-options { rib inet6.0 { static { inactive: route ::/0; } } }",
        "inactive: " + interface("ge-0/0/0", "192.0.2.1/24") + interface("lo0", "192.0.2.9/32"),
    ],
)
def test_what_breaks_no_rule_is_good(text: str) -> None:
    assert [] == messages(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            interface("ge-0/0/0", "192.0.2.1/24") + interface("ge-0/0/1", "192.0.2.1/30"),
            "address 192.0.2.1 is ge-0/0/0.0's already",
        ),
        (
            interface("ge-0/0/0", "192.0.2.1/24") + interface("ge-0/0/0", "192.0.2.1/24", unit=1),
            "address 192.0.2.1 is ge-0/0/0.0's already",
        ),
        (
            interface("ge-0/0/0", "192.0.2.1/24", "192.0.2.1/25"),
            "address 192.0.2.1 is ge-0/0/0.0's already",
        ),
        (
            interface("ge-0/0/0", "192.0.2.1/24") + interface("ge-0/0/1", "192.0.2.2/24"),
            "inet subnet 192.0.2.0/24 is ge-0/0/0.0's already",
        ),
        (
            interface("ge-0/0/0", "2001:db8::1/64") + interface("ge-0/0/1", "2001:db8::2/64"),
            "inet6 subnet 2001:db8::/64 is ge-0/0/0.0's already",
        ),
        (interface("lo0", "192.0.2.1/24"), "'192.0.2.1/24': lo0 takes /32 only"),
        (interface("lo0", "2001:db8::1/64"), "'2001:db8::1/64': lo0 takes /128 only"),
        (route("route 10.0.0.0/8;"), "route 10.0.0.0/8 needs next-hop, discard or reject"),
        (
            route("route 10.0.0.0/8 preference 7;"),
            "route 10.0.0.0/8 needs next-hop, discard or reject",
        ),
        (
            route("route 10.0.0.0/8 { inactive: discard; }"),
            "route 10.0.0.0/8 needs next-hop, discard or reject",
        ),
        (
            route("route 10.0.0.0/8 { next-hop 192.0.2.1; discard; }"),
            "route 10.0.0.0/8 has both next-hop and discard",
        ),
        (
            route("route 10.0.0.0/8 { discard; reject; }"),
            "route 10.0.0.0/8 has both discard and reject",
        ),
        (
            route("route 10.0.0.0/8 next-hop 2001:db8::1;"),
            "next-hop 2001:db8::1 of route 10.0.0.0/8 is not IPv4",
        ),
        (
            route6("route ::/0 next-hop 192.0.2.1;"),
            "next-hop 192.0.2.1 of route ::/0 is not IPv6",
        ),
    ],
)
def test_a_broken_rule_is_told(text: str, message: str) -> None:
    assert [message] == messages(text)


def test_a_bad_next_hop_is_told_once() -> None:
    assert ["'x' is not an address"] == messages(route("route 10.0.0.0/8 next-hop x;"))


def test_the_problems_stand_in_the_order_of_the_text_and_point_at_the_very_value() -> None:
    text = (
        "interfaces { lo0 { unit 0 { family inet {\n"
        "    address 192.0.2.1/32;\n"
        "    address 192.0.2.5/30;\n"
        "} } } }\n"
        "nonsense;\n"
        "routing-options { static { route 10.0.0.0/8 {\n"
        "    next-hop [ 192.0.2.1\n"
        "        2001:db8::1 ];\n"
        "} } }\n"
    )
    places = [each.place for each in check(text).problems if each.place]

    assert [(3, 13), (5, 1), (8, 9)] == [(place.line, place.column) for place in places]

"""Gateways, reached through other routes or not at all. The law itself is judged in test_core."""

from __future__ import annotations

from ipaddress import ip_address

from jdaemons.rpd.nexthops import DISCARD, Forwarding, NextHopType
from jdaemons.rpd.prefix import parse_prefix
from jdaemons.rpd.resolve import Resolution, reach
from jdaemons.rpd.table import Candidate, Protocol, Source, Table

NEIGHBOUR = Forwarding(NextHopType.UNICAST, "ge", 0, 0, ip_address("192.0.2.2").packed)


def number(text: str) -> int:
    return int(ip_address(text))


def a_table(**statics: str) -> Table:
    """192.0.2.0/24 is attached; statics are n10="gateway" for 10.0.0.0/8."""
    table = Table(4)
    for text, protocol, type_ in (
        ("192.0.2.0/24", Protocol.DIRECT, NextHopType.RESOLVE),
        ("192.0.2.1/32", Protocol.LOCAL, NextHopType.LOCAL),
    ):
        candidate = Candidate(source=Source(protocol, "ge"), base=Forwarding(type_, "ge"))
        table.put(parse_prefix(text), candidate)
    for octet, gateway in statics.items():
        candidate = Candidate(source=Source(Protocol.STATIC), gateways=(number(gateway),))
        table.put(parse_prefix(f"{octet[1:]}.0.0.0/8"), candidate)
    return table


def test_every_gateway_and_all_that_it_lies_in_is_decided() -> None:
    resolution = Resolution(a_table(n10="11.0.0.1", n11="192.0.2.2", n12="13.0.0.1"))
    outcomes = {
        str(prefix): outcome and outcome[1] for prefix, outcome in resolution.outcomes.items()
    }

    assert NEIGHBOUR == resolution.gateway(number("11.0.0.1"))
    assert NEIGHBOUR == resolution.gateway(number("192.0.2.2"))
    assert resolution.gateway(number("13.0.0.1")) is None
    assert {
        "11.0.0.0/8": NEIGHBOUR,
        "192.0.2.0/24": Forwarding(NextHopType.RESOLVE, "ge"),
    } == outcomes


def test_a_circle_is_not_active() -> None:
    resolution = Resolution(a_table(n10="11.0.0.1", n11="12.0.0.1", n12="10.0.0.1", n13="10.0.0.1"))

    assert {None} == set(resolution.outcomes.values())
    assert resolution.gateway(number("10.0.0.1")) is None


def test_the_router_itself_is_no_gateway() -> None:
    assert Resolution(a_table(n10="192.0.2.1")).gateway(number("192.0.2.1")) is None


def test_a_new_gateway_is_reached_by_what_was_decided_before() -> None:
    table = a_table()
    found = Candidate(source=Source(Protocol.STATIC), base=DISCARD)

    assert DISCARD == reach(table, number("192.0.2.7"), lambda _: (found, DISCARD))
    assert reach(table, number("192.0.2.7"), lambda _: None) is None
    assert reach(table, number("8.8.8.8"), lambda _: (found, DISCARD)) is None
    assert reach(table, number("192.0.2.1"), lambda _: (found, DISCARD)) is None

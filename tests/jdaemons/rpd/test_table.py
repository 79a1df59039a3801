"""What a routing table knows, before anything is decided."""

from __future__ import annotations

from ipaddress import ip_address

from jdaemons.rpd.nexthops import DISCARD, Forwarding, NextHopType
from jdaemons.rpd.prefix import parse_prefix
from jdaemons.rpd.table import Candidate, Protocol, Source, Table, options

STATIC = Source(Protocol.STATIC)


def number(text: str) -> int:
    return int(ip_address(text))


def static(*gateways: str, preference: int = 5) -> Candidate:
    return Candidate(
        source=STATIC, preference=preference, gateways=tuple(number(one) for one in gateways)
    )


def direct(name: str, rank: int) -> Candidate:
    base = Forwarding(NextHopType.RESOLVE, name)
    return Candidate(source=Source(Protocol.DIRECT, name), rank=rank, base=base)


def table_of(**routes: Candidate) -> Table:
    table = Table(4)
    for octet, candidate in routes.items():
        table.put(parse_prefix(f"{octet[1:]}.0.0.0/8"), candidate)
    return table


def test_a_candidate_takes_the_place_of_the_one_of_its_source() -> None:
    table = table_of(n10=static("192.0.2.1", "192.0.2.2"))
    table.put(parse_prefix("10.0.0.0/8"), static("192.0.2.2"))
    table.forget_idle_gateways()
    (destination,) = table.destinations.values()

    assert [static("192.0.2.2")] == destination.candidates
    assert [number("192.0.2.2")] == list(table.gateways)


def test_candidates_stand_in_order_of_preference_protocol_and_interface() -> None:
    table = Table(4)
    prefix = parse_prefix("10.0.0.0/8")
    for candidate in (
        static("1.1.1.1", preference=0),
        direct("b", 2),
        direct("a", 2),
        direct("z", 1),
    ):
        table.put(prefix, candidate)

    assert ["z", "a", "b", ""] == [
        one.source.interface for one in table.destinations[prefix].candidates
    ]


def test_a_destination_without_candidates_is_forgotten_when_told() -> None:
    table = table_of(n10=static("192.0.2.1"))
    prefix = parse_prefix("10.0.0.0/8")
    table.remove(prefix, STATIC)
    table.remove(prefix, STATIC)
    table.remove(parse_prefix("11.0.0.0/8"), STATIC)
    table.forget(prefix)
    table.forget_idle_gateways()

    assert ({}, {}) == (table.destinations, table.gateways)
    assert [] == list(table.covers(number("10.0.0.1")))


def test_an_address_is_covered_by_the_longest_first() -> None:
    table = Table(4)
    for text in ("0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16", "10.1.1.1/32"):
        table.put(parse_prefix(text), static("192.0.2.1"))

    assert ["10.1.1.1/32", "10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0"] == [
        str(one.prefix) for one in table.covers(number("10.1.1.1"))
    ]


def test_what_lies_in_a_prefix_is_found() -> None:
    table = Table(4)
    for text in ("10.0.0.0/8", "10.1.0.0/16", "10.1.1.1/32", "10.2.0.0/16"):
        table.put(parse_prefix(text), static("192.0.2.1"))

    assert {"10.1.0.0/16", "10.1.1.1/32"} == {
        str(one.prefix) for one in table.within(parse_prefix("10.1.0.0/16"))
    }


def test_new_gateways_are_told_once() -> None:
    table = table_of(n10=static("192.0.2.1"), n11=static("192.0.2.1", "192.0.2.2"))
    first = [address for address, _ in table.new_gateways()]

    assert [number("192.0.2.1"), number("192.0.2.2")] == first
    assert [] == table.new_gateways()


def test_a_prefix_knows_whether_a_gateway_lies_in_it() -> None:
    table = table_of(n10=static("192.0.2.255"))
    inside = [
        table.covers_a_gateway(parse_prefix(text))
        for text in ("192.0.2.0/24", "192.0.2.255/32", "0.0.0.0/0", "192.0.3.0/24", "10.0.0.0/8")
    ]
    table.remove(parse_prefix("10.0.0.0/8"), STATIC)
    before = table.covers_a_gateway(parse_prefix("192.0.2.0/24"))
    table.forget_idle_gateways()

    assert [True, True, True, False, False] == inside
    assert before
    assert not table.covers_a_gateway(parse_prefix("192.0.2.0/24"))


def test_nothing_leads_to_a_link_local_gateway() -> None:
    table = Table(6)
    table.put(parse_prefix("::/0"), static("2001:db8::1"))

    assert [] == list(table.ways_to(number("fe80::1")))
    assert 1 == len(list(table.ways_to(number("2001:db8::1"))))


def test_options_are_listed_from_best_to_worst() -> None:
    discard = Candidate(source=STATIC, base=DISCARD)
    both = static("192.0.2.1", "192.0.2.2")

    assert [
        (discard, None),
        (both, number("192.0.2.1")),
        (both, number("192.0.2.2")),
    ] == list(options([discard, both]))

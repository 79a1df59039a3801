"""A test host answers for its own addresses and learns its gateways."""

from __future__ import annotations

from jsupervisor.testing.traffic import frames
from jsupervisor.testing.traffic.neighbours import RETRY_NS, Neighbours

OWN = frames.mac("02:00:00:00:00:01")
ROUTER = frames.mac("02:00:00:00:00:fe")
OWN4, ROUTER4 = frames.address("192.0.2.2"), frames.address("192.0.2.1")
OWN6, ROUTER6 = frames.address("2001:db8:1::2"), frames.address("2001:db8:1::1")
OTHER4 = frames.address("192.0.2.9")


def host() -> Neighbours:
    return Neighbours(OWN, [OWN4, OWN6], [ROUTER4, ROUTER6])


def test_it_asks_for_what_it_needs_and_not_too_often() -> None:
    neighbours = host()

    assert [
        frames.arp(frames.Arp(1, OWN, OWN4, b"\0" * 6, ROUTER4), frames.BROADCAST),
        frames.solicit(OWN, OWN6, ROUTER6),
    ] == neighbours.ask(0)
    assert [] == neighbours.ask(RETRY_NS - 1)
    assert 2 == len(neighbours.ask(RETRY_NS))


def test_it_learns_from_replies_and_asks_no_more() -> None:
    neighbours = host()
    neighbours.handle(frames.Arp(2, ROUTER, ROUTER4, OWN, OWN4))
    neighbours.handle(frames.Neighbour(True, ROUTER6, OWN6, ROUTER6, ROUTER))

    assert neighbours.complete
    assert {ROUTER4: ROUTER, ROUTER6: ROUTER} == neighbours.known
    assert [] == neighbours.ask(0)


def test_it_answers_for_its_own_addresses() -> None:
    neighbours = host()

    assert [frames.arp(frames.Arp(2, OWN, OWN4, ROUTER, ROUTER4), ROUTER)] == neighbours.handle(
        frames.Arp(1, ROUTER, ROUTER4, b"\0" * 6, OWN4)
    )
    assert [frames.advertise(OWN, ROUTER, OWN6, ROUTER6)] == neighbours.handle(
        frames.Neighbour(False, ROUTER6, frames.solicited_node(OWN6), OWN6, ROUTER)
    )
    assert neighbours.complete


def test_it_is_silent_about_other_addresses() -> None:
    neighbours = host()

    assert [] == neighbours.handle(frames.Arp(1, ROUTER, ROUTER4, b"\0" * 6, OTHER4))
    assert [] == neighbours.handle(frames.Arp(2, ROUTER, OTHER4, OWN, OWN4))
    assert {ROUTER4: ROUTER} == neighbours.known


def test_a_solicitation_without_a_link_address_gets_no_answer() -> None:
    assert [] == host().handle(frames.Neighbour(False, ROUTER6, OWN6, OWN6, None))


def test_a_changed_mac_address_is_learnt() -> None:
    neighbours = host()
    neighbours.handle(frames.Arp(2, ROUTER, ROUTER4, OWN, OWN4))
    neighbours.handle(frames.Arp(2, OWN, ROUTER4, OWN, OWN4))

    assert OWN == neighbours.known[ROUTER4]

"""The neighbour cache, by numbers for a clock."""

from __future__ import annotations

from jdaemons.pfe.neighbors import (
    FRESH_NS,
    PROBES,
    SECOND,
    TRIES,
    WAITING_MAX,
    WAITING_TOTAL,
    Ask,
    Learned,
    Lost,
    Neighbours,
    Refused,
    Unreachable,
)

ADDRESS, MAC, OTHER = b"\xc0\0\2\2", b"\2\0\0\0\0\2", b"\2\0\0\0\0\3"
PACKET = (7, b"packet")


def test_the_first_packet_asks_and_the_others_only_wait() -> None:
    cache = Neighbours(4)
    first = cache.resolve(0, ADDRESS, (7, b"a"), 0)
    second = cache.resolve(0, ADDRESS, (8, b"b"), 1)
    learned = cache.heard(0, ADDRESS, MAC, 2, create=False)

    assert [Ask(0, ADDRESS)] == first
    assert [] == second
    assert [Learned(0, ADDRESS, MAC, ((7, b"a"), (8, b"b")))] == learned
    assert MAC == cache.mac(0, ADDRESS)


def test_nobody_answers_and_the_packets_come_back() -> None:
    cache = Neighbours(4)
    cache.resolve(0, ADDRESS, PACKET, 0)
    asked = [cache.tick(second * SECOND) for second in range(1, TRIES)]
    last = cache.tick(TRIES * SECOND)

    assert [[Ask(0, ADDRESS)]] * (TRIES - 1) == asked
    assert [Unreachable(0, ADDRESS, (PACKET,))] == last
    assert [] == cache.tick((TRIES + 1) * SECOND)


def test_questions_are_not_repeated_too_early() -> None:
    cache = Neighbours(4)
    cache.resolve(0, ADDRESS, PACKET, 0)

    assert [] == cache.tick(SECOND - 1)


def test_few_packets_wait_for_one_neighbour() -> None:
    cache = Neighbours(4)
    for _ in range(WAITING_MAX):
        cache.resolve(0, ADDRESS, PACKET, 0)

    assert [Refused(PACKET)] == cache.resolve(0, ADDRESS, PACKET, 0)


def test_few_packets_wait_altogether_and_their_places_are_given_back() -> None:
    cache = Neighbours(100)
    addresses = [bytes((10, 0, 0, n)) for n in range(WAITING_TOTAL // WAITING_MAX)]
    for address in addresses:
        for _ in range(WAITING_MAX):
            cache.resolve(0, address, PACKET, 0)
    full = cache.resolve(0, ADDRESS, PACKET, 0)
    cache.heard(0, addresses[0], MAC, 1, create=False)

    assert [Ask(0, ADDRESS), Refused(PACKET)] == full
    assert [] == cache.resolve(0, ADDRESS, PACKET, 1)


def test_a_flood_of_destinations_fills_only_its_room() -> None:
    cache = Neighbours(2)
    cache.resolve(0, b"\0\0\0\1", PACKET, 0)
    cache.heard(0, b"\0\0\0\2", MAC, 0, create=True)

    assert [Refused(PACKET)] == cache.resolve(0, b"\0\0\0\3", PACKET, 0)
    assert [] == cache.heard(0, b"\0\0\0\4", MAC, 0, create=True)
    assert cache.mac(0, b"\0\0\0\4") is None


def test_what_nobody_asked_for_is_learned_only_from_a_question() -> None:
    cache = Neighbours(4)

    assert [] == cache.heard(0, ADDRESS, MAC, 0, create=False)
    assert [Learned(0, ADDRESS, MAC)] == cache.heard(0, ADDRESS, MAC, 0, create=True)


def test_a_changed_mac_is_told_and_the_same_one_is_not() -> None:
    cache = Neighbours(4)
    cache.heard(0, ADDRESS, MAC, 0, create=True)

    assert [] == cache.heard(0, ADDRESS, MAC, 1, create=True)
    assert [Learned(0, ADDRESS, OTHER)] == cache.heard(0, ADDRESS, OTHER, 2, create=False)


def test_a_stale_neighbour_is_probed_stays_and_is_lost_when_silent() -> None:
    cache = Neighbours(4)
    cache.heard(0, ADDRESS, MAC, 0, create=True)
    early = cache.tick(FRESH_NS - 1)
    probes, known = [], []
    for second in range(PROBES):
        probes.append(cache.tick(FRESH_NS + second * SECOND))
        known.append(cache.mac(0, ADDRESS))
    last = cache.tick(FRESH_NS + PROBES * SECOND)

    assert [] == early
    assert [[Ask(0, ADDRESS, MAC)]] * PROBES == probes
    assert [MAC] * PROBES == known
    assert [Lost(0, ADDRESS)] == last
    assert cache.mac(0, ADDRESS) is None


def test_an_answer_to_a_probe_makes_it_fresh_again() -> None:
    cache = Neighbours(4)
    cache.heard(0, ADDRESS, MAC, 0, create=True)
    cache.tick(FRESH_NS)
    cache.heard(0, ADDRESS, MAC, FRESH_NS + 1, create=False)

    assert [] == cache.tick(2 * FRESH_NS)
    assert [Ask(0, ADDRESS, MAC)] == cache.tick(2 * FRESH_NS + 1)


def test_a_link_that_goes_down_takes_its_neighbours_along() -> None:
    cache = Neighbours(8)
    cache.heard(0, ADDRESS, MAC, 0, create=True)
    cache.heard(1, ADDRESS, MAC, 0, create=True)
    cache.resolve(0, b"\0\0\0\1", PACKET, 0)

    assert [Lost(0, ADDRESS), Unreachable(0, b"\0\0\0\1", (PACKET,))] == cache.forget_port(0)
    assert MAC == cache.mac(1, ADDRESS)


def test_what_a_predecessor_knew_is_known() -> None:
    cache = Neighbours(4)
    cache.restore(0, ADDRESS, MAC, 5)

    assert MAC == cache.mac(0, ADDRESS)
    assert [Ask(0, ADDRESS, MAC)] == cache.tick(5 + FRESH_NS)

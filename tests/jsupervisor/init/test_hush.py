"""What the supervisor is told while a successor is on its way: nothing, for a while, and then all."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from jsupervisor.init.hush import LONGEST_NS, MORE_NS, ONE_NS, Hush
from jsupervisor.init.peers import Peer
from jsupervisor.init.table import Phase, Process
from jsupervisor.initproto import Connection, Json

Pair = tuple[Peer, Connection]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The supervisor's connection, and its own end of it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    peer, other = Peer(ours, lambda _: None), Connection(theirs)
    other.settimeout(0)
    yield peer, other
    peer.close()
    other.close()


def successor(name: str = "rpd") -> Process:
    return Process(name, 2, {}, "foreign", frozenset((name,)))


def heard(other: Connection) -> list[Json]:
    numbers: list[Json] = []
    try:
        while (received := other.receive()) is not None:
            numbers.append(received[0]["number"])
    except BlockingIOError:
        pass
    return numbers


def test_nothing_is_said_before_the_successor_is_ready_and_then_all_in_order(pair: Pair) -> None:
    peer, other = pair
    hush, process = Hush(), successor()
    hush.keep(peer, process, 0)
    for number in range(3):
        peer.send({"number": number})
    hush.look(1)
    before = heard(other)
    process.reached["ready"] = 2
    hush.look(3)

    assert ([], [0, 1, 2]) == (before, heard(other))
    assert hush.deadline_ns is None


def test_a_slow_successor_keeps_nothing_back_for_longer_than_agreed(pair: Pair) -> None:
    peer, other = pair
    hush = Hush()
    hush.keep(peer, successor(), 7)
    peer.send({"number": 1})

    assert 7 + ONE_NS == hush.deadline_ns
    hush.look(7 + ONE_NS)
    assert [1] == heard(other)


def test_more_deaths_put_it_off_and_not_for_ever(pair: Pair) -> None:
    peer, other = pair
    hush = Hush()
    hush.keep(peer, successor("p0"), 0)
    hush.keep(peer, successor("p1"), 1)
    after_two = hush.deadline_ns
    for number in range(2, 100):
        hush.keep(peer, successor(f"p{number}"), number)
    peer.send({"number": 1})

    assert (ONE_NS + MORE_NS, LONGEST_NS) == (after_two, hush.deadline_ns)
    hush.look(LONGEST_NS)
    assert [1] == heard(other)


@pytest.mark.parametrize("first", ["rpd", "dcd"])
def test_all_successors_are_waited_for(pair: Pair, first: str) -> None:
    peer, other = pair
    hush, known = Hush(), {name: successor(name) for name in ("rpd", "dcd")}
    for process in known.values():
        hush.keep(peer, process, 0)
    peer.send({"number": 1})
    known.pop(first).reached["ready"] = 1
    hush.look(1)
    before = heard(other)
    for process in known.values():
        process.phase = Phase.GONE
    hush.look(2)

    assert ([], [1]) == (before, heard(other))


def test_afterwards_everything_is_said_at_once_again(pair: Pair) -> None:
    peer, other = pair
    hush = Hush()
    hush.keep(peer, successor(), 0)
    hush.look(LONGEST_NS)
    peer.send({"number": 1})

    assert [1] == heard(other)


def test_who_comes_meanwhile_is_told_at_once(pair: Pair) -> None:
    peer, other = pair
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        dead = Peer(ours, lambda _: None)
        hush = Hush()
        hush.keep(dead, successor(), 0)
        dead.close()
        hush.keep(peer, successor("dcd"), 1)
        peer.send({"number": 1})
        told = heard(other)
        hush.look(LONGEST_NS)

    assert [1] == told

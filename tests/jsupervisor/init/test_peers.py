"""Output to one peer: in order, never waited for, bounded, and no descriptor leaked."""

from __future__ import annotations

import os
import socket

import pytest

from jsupervisor.init import peers
from jsupervisor.init.peers import MAX_QUEUE, Peer
from jsupervisor.initproto import MAX_MESSAGE, Connection, Json


def pair() -> tuple[Peer, Connection, list[Peer]]:
    """A peer, the other end, and where a backlog is noted."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    backlogs: list[Peer] = []
    connection = Connection(theirs)
    connection.settimeout(5)
    return Peer(ours, backlogs.append), connection, backlogs


def open_fds() -> int:
    """How many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))


def test_a_peer_is_who_the_kernel_says() -> None:
    peer, other, _ = pair()

    assert (os.getpid(), os.getuid(), "operator") == (peer.pid, peer.uid, peer.role)
    peer.close()
    other.close()


def test_what_the_socket_does_not_take_waits_in_order() -> None:
    peer, other, backlogs = pair()
    for number in range(2000):
        peer.send({"number": number})
    assert peer.backlog
    assert backlogs

    heard: list[Json] = []
    while len(heard) < 2000:
        received = other.receive()
        assert received is not None
        heard.append(received[0]["number"])
        peer.flush()
    assert list(range(2000)) == heard
    assert [False] == [peer.backlog]
    peer.close()
    other.close()


def test_a_peer_that_never_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MAX_QUEUE", 10)
    peer, other, _ = pair()
    for number in range(5000):
        peer.send({"number": number})

    assert peer.dead
    assert MAX_QUEUE > 4096
    peer.close()
    other.close()


def test_descriptors_are_duplicated_while_they_wait_and_closed_with_the_peer() -> None:
    before = open_fds()
    peer, other, _ = pair()
    reader, writer = os.pipe()
    for _ in range(1000):
        peer.send({}, reader)
    assert peer.backlog
    os.close(reader)
    os.close(writer)
    peer.close()
    other.close()

    assert before == open_fds()


def test_a_message_that_is_too_long_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    peer, other, _ = pair()
    peer.send({"x": "y" * MAX_MESSAGE})
    peer.send({"op": "next"})

    assert ({"op": "next"}, []) == other.receive()
    assert "operator: cannot send a message of " in capfd.readouterr().err
    peer.close()
    other.close()


def test_a_peer_that_is_gone_is_dead() -> None:
    peer, other, _ = pair()
    other.close()
    peer.send({})
    peer.send({})

    assert peer.dead
    peer.close()


def test_a_peer_that_runs_has_waited_for_less_than_time_has_passed() -> None:
    peer, other, _ = pair()
    second = 1_000_000_000
    waited = [peer.waited(second), peer.waited(second + 1), peer.waited(second + 1)]

    assert 0 == waited[0] == waited[2]
    assert waited[1] <= 1
    peer.close()
    other.close()


def test_waits_of_long_ago_are_not_those_of_this_silence() -> None:
    peer, other, _ = pair()
    second = 1_000_000_000

    assert [0, 0] == [peer.waited(second), peer.waited(100 * second)]
    peer.close()
    other.close()

"""Batches through recvmmsg and sendmmsg."""

from __future__ import annotations

import socket

import pytest

from jdaemons.pfe.fakes import Batches, received
from jdaemons.pfe.mmsg import HEAD
from jdaemons.pfe.segment import BATCH, SLOT


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


@pytest.mark.parametrize("size", [1, 14, HEAD - 1, HEAD, HEAD + 1, 1514, SLOT])
def test_frames_of_every_size_are_sent_and_received_whole(size: int) -> None:
    batches = Batches()
    frames = [bytes((row + k) % 251 for k in range(size)) for row in range(3)]
    ours, theirs = pair()
    with ours, theirs:
        batches.line_up(frames)
        sent = batches.transmitter.send(ours.fileno())
        got = received(theirs)
        for each in got:
            theirs.send(each)
        batches.receiver.clear()
        count = batches.receiver.receive(ours.fileno())

    assert 3 == sent == count
    assert frames == got
    assert [size] * 3 == batches.receiver.lengths(3).tolist()
    assert frames == [batches.frames[row, :size].tobytes() for row in range(3)]
    assert frames[1] == batches.transmitter.frame(1)


def test_a_frame_that_was_cut_is_marked() -> None:
    batches = Batches()
    ours, theirs = pair()
    with ours, theirs:
        theirs.send(bytes(SLOT + 1))
        theirs.send(bytes(20))
        batches.receiver.clear()
        count = batches.receiver.receive(ours.fileno())

    assert [-1, 20] == batches.receiver.lengths(count).tolist()


def test_an_empty_socket_gives_nothing_and_a_full_one_takes_less() -> None:
    batches = Batches()
    ours, theirs = pair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
        nothing = batches.receiver.receive(ours.fileno())
        batches.line_up([bytes(1000)] * 100)
        some = batches.transmitter.send(ours.fileno())
        full = batches.transmitter.send(ours.fileno(), some)

    assert (0, 0) == (nothing, full)
    assert 0 < some < 100


def test_a_socket_without_a_peer_raises() -> None:
    batches = Batches()
    ours, theirs = pair()
    theirs.close()
    batches.line_up([b"x"])
    with ours, pytest.raises(BrokenPipeError):
        batches.transmitter.send(ours.fileno())


def test_what_was_received_by_a_dead_predecessor_can_be_counted() -> None:
    batches = Batches()
    ours, theirs = pair()
    with ours, theirs:
        for _ in range(5):
            theirs.send(b"x" * 20)
        before = batches.receiver.left_behind()
        batches.receiver.receive(ours.fileno())
        after = batches.receiver.left_behind()
        for _ in range(BATCH):
            theirs.send(b"x" * 20)
        batches.receiver.receive(ours.fileno())

    assert (0, 5, BATCH) == (before, after, batches.receiver.left_behind())

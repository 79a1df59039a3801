"""The receiving end of sd_notify(3)."""

from __future__ import annotations

import array
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jsupervisor import sdnotify


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    """Ours."""
    with sdnotify.receiver() as made:
        yield made


@pytest.fixture
def sender(receiver: socket.socket) -> Iterator[socket.socket]:
    """A program that would rather fail than wait."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.connect(sdnotify.address(receiver).replace("@", "\0", 1))
        made.setblocking(False)
        yield made


def words(receiver: socket.socket) -> list[set[bytes]]:
    """What has arrived."""
    return [set(notice.words) for notice in sdnotify.read(receiver)]


def test_a_datagram_is_its_lines_and_its_sender(
    receiver: socket.socket, sender: socket.socket
) -> None:
    sender.send(b"READY=1\nSTATUS=fine")

    assert [sdnotify.Notice(frozenset({b"READY=1", b"STATUS=fine"}), os.getpid())] == sdnotify.read(
        receiver
    )
    assert [] == sdnotify.read(receiver)


def test_each_receiver_has_an_address_of_its_own(receiver: socket.socket) -> None:
    with sdnotify.receiver() as other:
        addresses = {sdnotify.address(receiver), sdnotify.address(other)}

    assert 2 == len(addresses)
    assert {"@"} == {address[0] for address in addresses}


def test_what_nobody_reads_holds_nobody_up_when_it_is_muted(
    receiver: socket.socket, sender: socket.socket
) -> None:
    sender.send(b"before")
    sdnotify.mute(receiver)
    for _ in range(5000):
        sender.send(b"STATUS=busy")
    sdnotify.unmute(receiver)
    sender.send(b"after")

    assert [{b"before"}, {b"after"}] == words(receiver)


def test_one_that_is_not_muted_can_be_unmuted(
    receiver: socket.socket, sender: socket.socket
) -> None:
    sdnotify.unmute(receiver)
    sender.send(b"x")

    assert [{b"x"}] == words(receiver)


@pytest.mark.parametrize("muted", [False, True])
def test_who_waits_for_a_barrier_is_let_go(
    receiver: socket.socket, sender: socket.socket, muted: bool
) -> None:
    ours, theirs = os.pipe()
    if muted:
        sdnotify.mute(receiver)
    fds = array.array("i", [theirs] * 100)
    sender.sendmsg([b"BARRIER=1"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    os.close(theirs)
    arrived = words(receiver)

    assert ([] if muted else [{b"BARRIER=1"}]) == arrived
    assert b"" == os.read(ours, 1)
    os.close(ours)


def test_one_reading_has_an_end(receiver: socket.socket, sender: socket.socket) -> None:
    sent = 0
    try:
        for _ in range(2 * sdnotify.BATCH):
            sender.send(b"x")
            sent += 1
    except BlockingIOError:
        pass

    assert min(sent, sdnotify.BATCH) == len(sdnotify.read(receiver))


def test_a_descendant_belongs_and_others_do_not() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = [
        sdnotify.belongs(child.pid, child.pid),
        sdnotify.belongs(child.pid, os.getpid()),
        sdnotify.belongs(os.getpid(), child.pid),
        sdnotify.belongs(0, os.getpid()),
        sdnotify.belongs(0, 0),
    ]
    child.communicate(b"\n")

    assert [True, True, False, False, False] == found
    assert not sdnotify.belongs(child.pid, os.getpid())

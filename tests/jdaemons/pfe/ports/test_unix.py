"""Ports on unix sockets: one peer, and a link that is up while it is there."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from jdaemons.pfe.fakes import Batches, FakeStore, received
from jdaemons.pfe.ports.port import PortError
from jdaemons.pfe.ports.unix import UnixPort
from jsupervisor.links import remove_noted
from jsupervisor.runtime.portspec import UnixSpec


def open_port(run_dir: Path, store: FakeStore) -> UnixPort:
    return UnixPort("p", UnixSpec(f"{run_dir}/p"), "pfe0/port/p", store, str(run_dir))


def attach(run_dir: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(f"{run_dir}/p")
    sock.setblocking(False)
    return sock


def test_frames_go_both_ways(run_dir: Path, store: FakeStore) -> None:
    batches = Batches()
    port = open_port(run_dir, store)
    before = port.up
    with attach(run_dir) as peer:
        batches.take(port)
        peer.send(b"one")
        peer.send(b"two" * 100)
        got = batches.take(port)
        count = batches.line_up([b"a" * 14, b"b" * 1514])
        dropped = port.transmit(batches.transmitter, count)
        single = port.send(b"c" * 60)
        sent = received(peer)
    port.close()

    assert not before
    assert [b"one", b"two" * 100] == got
    assert (0, True) == (dropped, single)
    assert [b"a" * 14, b"b" * 1514, b"c" * 60] == sent


def test_what_a_peer_sent_before_it_left_is_received(run_dir: Path, store: FakeStore) -> None:
    batches = Batches()
    port = open_port(run_dir, store)
    with attach(run_dir) as peer:
        batches.take(port)
        peer.send(b"last")
    got = batches.take(port)
    up = port.up
    gone = "pfe0/port/p/peer" not in store.fds
    port.close()

    assert [b"last"] == got
    assert not up
    assert gone


def test_an_empty_message_is_no_farewell(run_dir: Path, store: FakeStore) -> None:
    batches = Batches()
    port = open_port(run_dir, store)
    with attach(run_dir) as peer:
        batches.take(port)
        peer.send(b"")
        got = batches.take(port)
        up = port.up
    port.close()

    assert [b""] == got
    assert up


def test_a_successor_takes_over_the_connection(run_dir: Path, store: FakeStore) -> None:
    batches = Batches()
    first = open_port(run_dir, store)
    with attach(run_dir) as peer:
        batches.take(first)
        first.close()
        peer.send(b"meanwhile")
        second = open_port(run_dir, store)
        up = second.up
        got = batches.take(second)
    second.close()

    assert up
    assert [b"meanwhile"] == got


def test_the_socket_of_a_dead_listener_is_replaced(run_dir: Path, store: FakeStore) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dead:
        dead.bind(f"{run_dir}/p")
    port = open_port(run_dir, store)
    with attach(run_dir) as peer:
        Batches().take(port)
        up = port.up
        peer.send(b"x")
    port.close()

    assert up


def test_a_live_listener_is_left_alone(run_dir: Path, store: FakeStore) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as live:
        live.bind(f"{run_dir}/p")
        live.listen()
        with pytest.raises(PortError, match=r"^cannot open port .*/p: in use by another process$"):
            open_port(run_dir, store)

    assert {} == store.fds


def test_another_file_is_left_alone(run_dir: Path, store: FakeStore) -> None:
    path = run_dir / "p"
    path.write_text("mine")
    with pytest.raises(PortError, match="the file exists and is not a socket"):
        open_port(run_dir, store)

    assert "mine" == path.read_text()


def test_a_folder_that_is_missing_is_told(run_dir: Path, store: FakeStore) -> None:
    with pytest.raises(PortError, match="cannot open port /nowhere/p: No such file or directory"):
        UnixPort("p", UnixSpec("/nowhere/p"), "pfe0/port/p", store, str(run_dir))


def test_the_socket_is_noted_for_removal(run_dir: Path, store: FakeStore) -> None:
    open_port(run_dir, store).close()

    before = os.path.exists(run_dir / "p")
    remove_noted(run_dir)

    assert before
    assert not os.path.exists(run_dir / "p")

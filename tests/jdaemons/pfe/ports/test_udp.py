"""Ports on UDP sockets of the loopback."""

from __future__ import annotations

import socket
from collections.abc import Generator

import pytest

from jdaemons.pfe.fakes import Batches, FakeStore, received
from jdaemons.pfe.ports.port import PortError
from jdaemons.pfe.ports.udp import UdpPort
from jsupervisor.runtime.portspec import Endpoint, UdpSpec

LOOPBACK = "127.0.0.1"


@pytest.fixture
def peer() -> Generator[socket.socket, None, None]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        sock.setblocking(False)
        yield sock


def free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        port: int = sock.getsockname()[1]
    return port


def spec(peer: int) -> UdpSpec:
    return UdpSpec(Endpoint(LOOPBACK, free()), Endpoint(LOOPBACK, peer))


def test_frames_go_both_ways_and_survive_a_successor(peer: socket.socket, store: FakeStore) -> None:
    batches = Batches()
    ends = spec(peer.getsockname()[1])
    first = UdpPort("p", ends, "k", store)
    peer.connect((LOOPBACK, ends.local.port))
    peer.send(b"one")
    first.close()
    peer.send(b"two")
    second = UdpPort("p", ends, "k", store)
    got = batches.take(second)
    count = batches.line_up([b"a" * 70, b"b" * 20])
    dropped = second.transmit(batches.transmitter, count)
    second.send(b"c")
    second.close()

    assert [b"one", b"two"] == got
    assert 0 == dropped
    assert [b"a" * 70, b"b" * 20, b"c"] == received(peer)


def test_a_peer_that_is_not_there_yet_does_no_harm(store: FakeStore) -> None:
    batches = Batches()
    ends = spec(free())
    port = UdpPort("p", ends, "k", store)
    for _ in range(3):
        port.send(b"lost")
        port.transmit(batches.transmitter, batches.line_up([b"lost"] * 3))
        batches.take(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind((LOOPBACK, ends.remote.port))
        late.setblocking(False)
        port.send(b"found")
        got = received(late)
    up = port.up
    port.close()

    assert [b"found"] == got
    assert up


def test_a_port_in_use_is_told(peer: socket.socket, store: FakeStore) -> None:
    taken = peer.getsockname()[1]
    ends = UdpSpec(Endpoint(LOOPBACK, taken), Endpoint(LOOPBACK, 9))
    text = f"^cannot open port udp 127.0.0.1 port {taken}: in use by another process$"
    with pytest.raises(PortError, match=text):
        UdpPort("p", ends, "k", store)


def test_an_address_of_somebody_else_is_told(store: FakeStore) -> None:
    ends = UdpSpec(Endpoint("192.0.2.1", free()), Endpoint(LOOPBACK, 9))
    with pytest.raises(PortError, match=r"^cannot open port udp 192\.0\.2\.1 port"):
        UdpPort("p", ends, "k", store)

"""Frames reach a port's socket, many in one call, and what the kernel drops is counted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsupervisor.testing.traffic.links import SLOT_SIZE, Batch, Link, LinkDown, attach


def batch(frames: list[bytes]) -> Batch:
    made = Batch()
    for slot, frame in enumerate(frames):
        made.buffer[slot * SLOT_SIZE : slot * SLOT_SIZE + len(frame)] = frame
        made.set_length(slot, len(frame))
    return made


@pytest.fixture
def port(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "port"))
        listener.listen()
        yield listener


@pytest.fixture
def link(port: socket.socket, tmp_path: Path) -> Iterator[Link]:
    link = attach(f"unix:{tmp_path}/port")
    yield link
    link.close()


def test_a_batch_is_sent_in_one_call_and_in_order(port: socket.socket, link: Link) -> None:
    peer = port.accept()[0]
    sent = link.send(batch([b"one", b"three", b"x" * 1500]), 3)
    with peer:
        assert 3 == sent
        assert [b"one", b"three", b"x" * 1500] == [peer.recv(2048) for _ in range(3)]


def test_frames_that_wait_are_received_in_one_call(port: socket.socket, link: Link) -> None:
    with port.accept()[0] as peer:
        assert [] == list(link.receive())
        for frame in (b"one", b"two"):
            peer.send(frame)

        assert [b"one", b"two"] == [bytes(frame) for frame in link.receive()]


def test_a_socket_that_is_full_takes_no_more_and_loses_nothing(
    port: socket.socket, link: Link
) -> None:
    with port.accept()[0] as peer:
        frames = batch([b"x" * 1500] * 256)
        total = 0
        while sent := link.send(frames, 256):
            total += sent
        received = 0
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            while peer.recv(2048):
                received += 1

    assert total == received


def test_a_peer_that_has_gone_is_a_link_down(port: socket.socket, link: Link) -> None:
    port.accept()[0].close()

    with pytest.raises(LinkDown):
        list(link.receive())
    with pytest.raises(LinkDown):
        link.send(batch([b"x"]), 1)


def test_nothing_to_send_is_sent(link: Link) -> None:
    assert 0 == link.send(Batch(), 0)


def test_a_port_that_is_not_there_is_a_link_down(tmp_path: Path) -> None:
    with pytest.raises(LinkDown, match="cannot attach to unix:"):
        attach(f"unix:{tmp_path}/none")


@pytest.mark.parametrize("specification", ["", "unix:", "smoke:signals", "veth:x", "udp:1"])
def test_what_is_no_port_of_a_test_host_is_refused(specification: str) -> None:
    with pytest.raises(ValueError, match="cannot"):
        attach(specification)


@pytest.fixture
def router() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_a_udp_port_is_joined_from_its_remote_end(router: socket.socket) -> None:
    own = free_port()
    link = attach(f"udp:{router.getsockname()[1]},{own}")
    link.send(batch([b"frame"]), 1)

    assert (b"frame", ("127.0.0.1", own)) == router.recvfrom(2048)
    router.sendto(b"answer", ("127.0.0.1", own))
    assert [b"answer"] == [bytes(frame) for frame in link.receive()]
    link.close()


def test_a_udp_port_that_nobody_has_open_refuses_and_stays(router: socket.socket) -> None:
    port = router.getsockname()[1]
    router.close()
    link = attach(f"udp:{port},{free_port()}")
    for _ in range(3):
        link.send(batch([b"frame"]), 1)
        list(link.receive())

    assert link.dropped() > 0
    link.close()


def test_datagrams_that_the_kernel_drops_are_counted(router: socket.socket) -> None:
    own = free_port()
    link = attach(f"udp:{router.getsockname()[1]},{own}")
    link._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(100):
        router.sendto(b"x" * 1000, ("127.0.0.1", own))
    received = len(list(link.receive()))

    assert 100 == received + link.dropped()
    assert link.dropped() > 0
    link.close()

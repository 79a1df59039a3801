"""Ports on interfaces of the kernel, in a network namespace of the test's own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from jdaemons.pfe.fakes import Batches, FakeStore, received
from jdaemons.pfe.ports import devices
from jdaemons.pfe.ports.afpacket import PacketPort
from jdaemons.pfe.ports.port import PortError
from jsupervisor.links import remove_noted
from jsupervisor.runtime.portspec import DeviceKind, DeviceSpec

pytestmark = pytest.mark.root
Namespace = Callable[[Callable[[], None]], None]
FRAME = b"\2" * 12 + b"\x08\x00" + bytes(range(100))


def veth(run_dir: Path, store: FakeStore) -> PacketPort:
    spec = DeviceSpec(DeviceKind.VETH, "far0")
    return PacketPort("p", spec, "pfe0/port/p", store, str(run_dir))


def existing(name: str, store: FakeStore, run_dir: Path) -> PacketPort:
    spec = DeviceSpec(DeviceKind.AF_PACKET, name)
    return PacketPort("p", spec, f"other/{name}", store, str(run_dir))


def test_frames_pass_a_pair_both_ways(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        batches = Batches()
        port = veth(run_dir, store)
        down = port.up
        devices.set_up("far0")
        port.refresh()
        far = existing("far0", store, run_dir)
        port.send(FRAME)
        port.transmit(batches.transmitter, batches.line_up([FRAME, FRAME + b"x"]))
        there = batches.take(far)
        far.send(FRAME)
        back = batches.take(port)
        port.close()
        far.close()

        assert not down
        assert port.up
        assert [FRAME, FRAME, FRAME + b"x"] == there
        assert [FRAME] == back

    in_namespace(work)


def test_frames_wait_for_a_successor(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        first = veth(run_dir, store)
        devices.set_up("far0")
        first.close()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as far:
            far.bind(("far0", 0))
            for _ in range(500):
                far.send(FRAME)
        second = veth(run_dir, store)
        batches = Batches()
        got = batches.take(second) + batches.take(second)
        second.close()

        assert [FRAME] * 500 == got

    in_namespace(work)


def test_the_link_goes_with_the_other_end(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        port = veth(run_dir, store)
        devices.set_up("far0")
        port.refresh()
        up = port.up
        remove_noted(run_dir)
        batches = Batches()
        batches.take(port)
        port.send(FRAME)
        port.transmit(batches.transmitter, batches.line_up([FRAME]))
        port.refresh()
        left = [name for _, name in socket.if_nameindex()]
        port.close()

        assert up
        assert not port.up
        assert "far0" not in left

    in_namespace(work)


def test_an_interface_that_exists_is_not_made_again(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        devices.make_veth("near9", "far0")
        text = "^cannot open port veth:far0: the interface exists already$"
        with pytest.raises(PortError, match=text):
            veth(run_dir, store)

    in_namespace(work)


def test_what_the_kernel_sends_has_whole_checksums(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        from jdaemons.pfe.checksum import transport_checksum

        port = veth(run_dir, store)
        devices.set_up("far0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"far0\0")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            sock.sendto(b"odd", ("255.255.255.255", 9))
        (packet,) = [each[14:] for each in Batches().take(port) if each[12:14] == b"\x08\0"]
        port.close()

        assert 0 == transport_checksum(packet[12:16], packet[16:20], 17, packet[20:])

    in_namespace(work)


def test_a_port_hears_only_what_comes_in(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        port = veth(run_dir, store)
        devices.set_up("far0")
        port.send(FRAME)
        got = Batches().take(port)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind(("far0", 3))
            sock.setblocking(False)
            assert [] == received(sock)
        port.close()

        assert [] == got

    in_namespace(work)

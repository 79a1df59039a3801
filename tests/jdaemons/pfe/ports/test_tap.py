"""Ports on tap interfaces."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from jdaemons.pfe.fakes import Batches, FakeStore, received
from jdaemons.pfe.ports import devices
from jdaemons.pfe.ports.port import PortError
from jdaemons.pfe.ports.tap import TapPort
from jsupervisor.runtime.portspec import DeviceKind, DeviceSpec

Namespace = Callable[[Callable[[], None]], None]
SPEC = DeviceSpec(DeviceKind.TAP, "tap9")
FRAME = b"\2" * 12 + b"\x88\xb5" + bytes(range(100))


@pytest.mark.root
@pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="needs /dev/net/tun")
def test_frames_go_both_ways_and_survive_a_successor(
    in_namespace: Namespace, run_dir: Path, store: FakeStore
) -> None:
    def work() -> None:
        batches = Batches()
        first = TapPort("p", SPEC, "k", store)
        before = first.up, first.events()
        devices.set_up("tap9")
        first.refresh()
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as kernel:
            kernel.bind(("tap9", 0x88B5))
            kernel.setblocking(False)
            kernel.send(FRAME)
            first.close()
            second = TapPort("p", SPEC, "k", store)
            got = batches.take(second)
            dropped = second.transmit(batches.transmitter, batches.line_up([FRAME, FRAME]))
            second.send(FRAME + b"x")
            there = received(kernel)
        second.close()

        assert (False, {}) == before
        assert second.up
        assert [FRAME] == [each for each in got if each[12:14] == b"\x88\xb5"]
        assert 0 == dropped
        assert [FRAME, FRAME, FRAME + b"x"] == there[-3:]

    in_namespace(work)


@pytest.mark.root
@pytest.mark.skipif(not os.path.exists("/dev/net/tun"), reason="needs /dev/net/tun")
def test_an_interface_of_another_kind_is_refused(in_namespace: Namespace, store: FakeStore) -> None:
    def work() -> None:
        devices.make_veth("tap9", "b0")
        with pytest.raises(PortError, match=r"^cannot open port tap:tap9: "):
            TapPort("p", SPEC, "k", store)

    in_namespace(work)

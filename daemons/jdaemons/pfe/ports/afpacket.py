"""Ports on interfaces of the kernel, through AF_PACKET sockets: one that exists, or one end of a pair
that is made here and whose other end the user moves to where it is wanted.

The socket's queue is what keeps frames while the engine restarts; it lies in the descriptor store. The
link is the interface's carrier: for a pair, the other end is up.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final

from jdaemons.pfe.mmsg import Receiver, Transmitter
from jdaemons.pfe.ports import devices
from jdaemons.pfe.ports.port import Port, PortError, Store, adopt, enlarge
from jsupervisor.links import note_interface
from jsupervisor.runtime.portspec import DeviceKind, DeviceSpec

_ALL: Final = 0x0003
_SOL_PACKET: Final = 263
_ADD_MEMBERSHIP: Final = 1
_IGNORE_OUTGOING: Final = 23
_PROMISCUOUS: Final = 1


class PacketPort(Port):
    """An AF_PACKET socket that is bound to an interface."""

    def __init__(self, name: str, spec: DeviceSpec, key: str, store: Store, run_dir: str) -> None:
        """Adopt the kept socket, or make interface and socket; raises PortError."""
        super().__init__(name)
        veth = spec.kind is DeviceKind.VETH
        self._device: Final = devices.near_name(run_dir, spec.ifname) if veth else spec.ifname
        kept = store.get(key)
        if kept is not None:
            self._sock = adopt(kept)
        else:
            if veth:
                _make_pair(self._device, spec.ifname, run_dir)
            self._sock = _open(self._device)
            store.put(key, self._sock.fileno())
        self.up = devices.is_running(self._sock, self._device)

    def events(self) -> dict[int, int]:
        """The socket."""
        return {self._sock.fileno(): self.mask()}

    def receive(self, fd: int, receiver: Receiver) -> int:
        """Frames that wait; an interface that went down says so once."""
        try:
            return receiver.receive(fd)
        except OSError:
            self.refresh()
            return 0

    def send_batch(self, transmitter: Transmitter, first: int) -> int:
        """As many as the interface takes."""
        try:
            return transmitter.send(self._sock.fileno(), first)
        except OSError:
            self.refresh()
            return 0

    def send_one(self, frame: bytes) -> bool:
        """False when the interface's queue is full."""
        try:
            self._sock.send(frame, socket.MSG_DONTWAIT)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ENOBUFS):
                return False
            self.refresh()
        return True

    def refresh(self) -> None:
        """Look at the carrier."""
        self.set_up(devices.is_running(self._sock, self._device))

    def close(self) -> None:
        """Close the socket; the store's stays, and the interface with it."""
        self._sock.close()


def _make_pair(near: str, far: str, run_dir: str) -> None:
    try:
        if devices.exists(far):
            raise PortError(f"cannot open port veth:{far}: the interface exists already")
        note_interface(run_dir, near)
        devices.make_veth(near, far)
        devices.complete_checksums(near)
        devices.complete_checksums(far)
        devices.set_up(near)
    except OSError as error:
        raise PortError(f"cannot open port veth:{far}: {error.strerror}") from error


def _open(device: str) -> socket.socket:
    try:
        sock = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0
        )
    except OSError as error:
        raise PortError(f"cannot open port on {device}: {error.strerror}") from error
    try:
        index = socket.if_nametoindex(device)
        # Until it is bound the socket hears nothing: protocol 0.
        sock.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        request = struct.pack("=iHH8x", index, _PROMISCUOUS, 0)
        sock.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, request)
        enlarge(sock)
        sock.bind((device, _ALL))
    except OSError as error:
        sock.close()
        why = error.strerror or "there is no such interface"
        raise PortError(f"cannot open port on {device}: {why}") from error
    return sock

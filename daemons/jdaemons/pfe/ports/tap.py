"""A port on a tap interface: what the kernel sends there, the router receives.

The interface lives for as long as somebody has its descriptor, which is kept in the store: it goes by
itself with the instance. Frames are read and written one by one, the only way that taps offer.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from typing import Final

from jdaemons.pfe.mmsg import Receiver, Transmitter
from jdaemons.pfe.ports import devices
from jdaemons.pfe.ports.port import Port, PortError, Store
from jdaemons.pfe.segment import BATCH
from jsupervisor.runtime.portspec import DeviceSpec

_TUNSETIFF: Final = 0x400454CA
_TAP_NO_INFO: Final = 0x0002 | 0x1000
_DEVICE: Final = "/dev/net/tun"


class TapPort(Port):
    """A descriptor of /dev/net/tun."""

    def __init__(self, name: str, spec: DeviceSpec, key: str, store: Store) -> None:
        """Adopt the kept descriptor or make the interface; raises PortError."""
        super().__init__(name)
        self._device: Final = spec.ifname
        kept = store.get(key)
        self._fd: Final = kept if kept is not None else _open(spec.ifname)
        if kept is None:
            store.put(key, self._fd)
        os.set_blocking(self._fd, False)
        self._probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.refresh()

    def events(self) -> dict[int, int]:
        """The descriptor, once the interface is up: before that it cannot be read."""
        return {self._fd: self.mask()} if self.up else {}

    def receive(self, fd: int, receiver: Receiver) -> int:
        """Frames that wait."""
        for row in range(BATCH):
            try:
                length = os.readv(fd, [memoryview(receiver.frames[row])])
            except OSError:
                self.refresh()
                return row
            receiver.set(row, length)
        return BATCH

    def send_batch(self, transmitter: Transmitter, first: int) -> int:
        """One frame: the loop comes back for the rest."""
        return int(self.send_one(transmitter.frame(first)))

    def send_one(self, frame: bytes) -> bool:
        """False when the interface's queue is full."""
        try:
            os.write(self._fd, frame)
        except BlockingIOError:
            return False
        except OSError:
            self.refresh()
        return True

    def refresh(self) -> None:
        """The link is up when the kernel has its end up."""
        self.set_up(devices.is_running(self._probe, self._device))

    def close(self) -> None:
        """Close the descriptor; the store's stays."""
        os.close(self._fd)
        self._probe.close()


def _open(ifname: str) -> int:
    try:
        fd = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise PortError(f"cannot open port tap:{ifname}: {_DEVICE}: {error.strerror}") from error
    try:
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("=16sH22x", ifname.encode(), _TAP_NO_INFO))
    except OSError as error:
        os.close(fd)
        raise PortError(f"cannot open port tap:{ifname}: {error.strerror}") from error
    return fd

"""A port on a UDP socket: one datagram is one frame. Its link is always up."""

from __future__ import annotations

import errno
import socket
from typing import Final

from jdaemons.pfe.mmsg import Receiver, Transmitter
from jdaemons.pfe.ports.port import Port, PortError, Store, adopt, enlarge
from jsupervisor.runtime.portspec import UdpSpec

_HARMLESS: Final = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH)
"""Nobody listens at the other end (yet); the next datagram may arrive."""


class UdpPort(Port):
    """A connected socket, kept in the store."""

    def __init__(self, name: str, spec: UdpSpec, key: str, store: Store) -> None:
        """Adopt the kept socket or make one; raises PortError."""
        super().__init__(name)
        kept = store.get(key)
        self._sock: Final = adopt(kept) if kept is not None else _open(spec)
        if kept is None:
            store.put(key, self._sock.fileno())
        self.up = True

    def events(self) -> dict[int, int]:
        """The socket."""
        return {self._sock.fileno(): self.mask()}

    def receive(self, fd: int, receiver: Receiver) -> int:
        """Datagrams that wait; an error that an earlier one met is passed over."""
        try:
            return receiver.receive(fd)
        except OSError as error:
            if error.errno not in _HARMLESS:
                raise
            return 0

    def send_batch(self, transmitter: Transmitter, first: int) -> int:
        """As many as the socket takes."""
        for _ in range(2):
            try:
                return transmitter.send(self._sock.fileno(), first)
            except OSError as error:
                # The error belongs to an earlier datagram, and telling it has cleared it.
                if error.errno not in _HARMLESS:
                    return 0
        return 0

    def send_one(self, frame: bytes) -> bool:
        """False when the socket is full."""
        for _ in range(2):
            try:
                return bool(self._sock.send(frame, socket.MSG_DONTWAIT)) or not frame
            except BlockingIOError:
                return False
            except OSError as error:
                if error.errno not in _HARMLESS:
                    return True
        return True

    def close(self) -> None:
        """Close the socket; the store's stays."""
        self._sock.close()


def _open(spec: UdpSpec) -> socket.socket:
    family = socket.AF_INET6 if ":" in spec.local.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    where = f"udp {spec.local.host} port {spec.local.port}"
    try:
        sock.bind((spec.local.host, spec.local.port))
        where = f"udp {spec.remote.host} port {spec.remote.port}"
        sock.connect((spec.remote.host, spec.remote.port))
        enlarge(sock)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"cannot open port {where}: in use by another process") from error
        raise PortError(f"cannot open port {where}: {error.strerror}") from error
    return sock

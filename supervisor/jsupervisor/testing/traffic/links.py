"""How a host's frames reach a router's port: over `unix:` and `udp:` sockets, many in one call.

`sendmmsg` and `recvmmsg` are reached through ctypes: one system call a tick instead of one a
packet keeps the generator from becoming what is measured.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import Final

from jsupervisor.runtime.portspec import DeviceSpec, UdpSpec, UnixSpec, parse_port_spec

SLOTS: Final = 256
SLOT_SIZE: Final = 2048
BUFFER_BYTES: Final = 4 * 1024 * 1024
SO_MEMINFO: Final = 55
SO_SNDBUFFORCE: Final = 32
SO_RCVBUFFORCE: Final = 33
_MEMINFO: Final = struct.Struct("9I")
_MEMINFO_DROPS: Final = 8


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Msghdr(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.POINTER(_Iovec)),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Mmsghdr(ctypes.Structure):
    _fields_ = (("header", _Msghdr), ("length", ctypes.c_uint))


class Batch:
    """Slots of a buffer that one call sends from or receives into."""

    def __init__(self) -> None:
        self.buffer: Final = bytearray(SLOTS * SLOT_SIZE)
        self.view: Final = memoryview(self.buffer)
        base = ctypes.addressof(ctypes.c_char.from_buffer(self.buffer))
        self._iovecs = (_Iovec * SLOTS)()
        self.messages: Final = (_Mmsghdr * SLOTS)()
        for index in range(SLOTS):
            self._iovecs[index].base = base + index * SLOT_SIZE
            self._iovecs[index].length = SLOT_SIZE
            self.messages[index].header.iov = ctypes.pointer(self._iovecs[index])
            self.messages[index].header.iov_length = 1

    def set_length(self, slot: int, length: int) -> None:
        """How many bytes of the slot to send."""
        self._iovecs[slot].length = length


class LinkDown(Exception):
    """The other end is not there (any more); connect again."""


class Link:
    """A connected socket towards one of the router's ports."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(False)
        _enlarge(sock)
        self._datagram = sock.type == socket.SOCK_DGRAM
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._in = Batch()
        self.refused = 0
        """Datagrams that met a closed port (`udp:` only)."""

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    def send(self, batch: Batch, count: int) -> int:
        """Send the first `count` slots; how many the socket took. Raises LinkDown."""
        if count == 0:
            return 0
        sent: int = self._libc.sendmmsg(
            self._sock.fileno(), batch.messages, count, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        )
        if sent >= 0:
            return sent
        return self._failed(ctypes.get_errno())

    def receive(self) -> Iterator[memoryview]:
        """The frames that wait, one batch at most; valid until the next call. Raises LinkDown."""
        count = self._libc.recvmmsg(
            self._sock.fileno(), self._in.messages, SLOTS, socket.MSG_DONTWAIT, None
        )
        if count < 0:
            self._failed(ctypes.get_errno())
            return
        for slot in range(count):
            length = self._in.messages[slot].length
            if length == 0 and not self._datagram:
                raise LinkDown
            yield self._in.view[slot * SLOT_SIZE : slot * SLOT_SIZE + length]

    def _failed(self, code: int) -> int:
        if code in (errno.EAGAIN, errno.ENOBUFS, errno.EINTR):
            return 0
        if self._datagram and code == errno.ECONNREFUSED:
            self.refused += 1
            return 0
        raise LinkDown(os.strerror(code))

    def dropped(self) -> int:
        """Frames that the kernel dropped here for want of room, refused ones included."""
        if not self._datagram:
            return 0
        info = self._sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size)
        drops: int = _MEMINFO.unpack(info)[_MEMINFO_DROPS]
        return drops + self.refused

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def _enlarge(sock: socket.socket) -> None:
    """Ask for big buffers, beyond the host's limit where we may."""
    for plain, force in (
        (socket.SO_SNDBUF, SO_SNDBUFFORCE),
        (socket.SO_RCVBUF, SO_RCVBUFFORCE),
    ):
        try:
            sock.setsockopt(socket.SOL_SOCKET, force, BUFFER_BYTES)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)


def attach(specification: str) -> Link:
    """Connect to a port of the router, given as the router was given it.

    Raises LinkDown while there is no such port, ValueError for a specification that makes no sense
    or belongs to an interface of the kernel, which other programs use.
    """
    match parse_port_spec(specification):
        case UnixSpec(path):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
            return _connected(sock, specification, path)
        case UdpSpec(local, remote):
            family = socket.AF_INET6 if ":" in local.host else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            # The router's remote end is ours.
            return _connected(
                sock, specification, (local.host, local.port), (remote.host, remote.port)
            )
        case DeviceSpec():
            raise ValueError(
                f"cannot attach a test host to {specification!r}: only to unix: and udp: ports"
            )


def _connected(
    sock: socket.socket,
    specification: str,
    peer: str | tuple[str, int],
    own: tuple[str, int] | None = None,
) -> Link:
    try:
        if own is not None:
            sock.bind(own)
        sock.connect(peer)
    except OSError as error:
        sock.close()
        raise LinkDown(f"cannot attach to {specification}: {error.strerror}") from error
    return Link(sock)

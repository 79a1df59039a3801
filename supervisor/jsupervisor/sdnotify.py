"""The receiving end of sd_notify(3): who sent what, and how a sender is never held up.

A datagram socket holds few datagrams (net.unix.max_dgram_qlen, often 10), and whoever sends one more
waits until somebody reads. So a socket that nobody reads is muted: the kernel throws away what arrives,
and the sender is told that all is well.

Standard library alone: init reads such a socket until the program is ready, the supervisor from then on.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from dataclasses import dataclass
from typing import Final

from jsupervisor import linux

SIZE: Final = 4096
"""Bytes of a datagram that are looked at."""
BATCH: Final = 256
"""Datagrams read at a time: who sends more without a pause does not keep us for ever."""
_CHAIN: Final = 32
"""How many ancestors of a sender are looked at."""
_CREDENTIALS: Final = struct.Struct("3i")
_SPACE: Final = socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(253 * 4)
"""For the sender's credentials and for as many descriptors as may come with them."""

# Of linux/filter.h and asm-generic/socket.h; the one instruction is BPF_RET | BPF_K: keep no byte.
_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_INSTRUCTION: Final = struct.Struct("HBBI")
_PROGRAM: Final = struct.Struct("HP")
_DROP: Final = _INSTRUCTION.pack(0x06, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Notice:
    """One datagram."""

    words: frozenset[bytes]
    """Its lines: READY=1, WATCHDOG=1, STATUS=..."""
    sender: int
    """Its sender's pid; 0 when it cannot be seen from here."""


def receiver() -> socket.socket:
    """A socket at an address that the kernel has chosen (unix(7), autobind); raises OSError.

    The address is nobody else's, leaves no file, and can be sent to by a program of any user.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        made.bind("")
    except OSError:
        made.close()
        raise
    return made


def address(bound: socket.socket) -> str:
    """What stands in NOTIFY_SOCKET."""
    name: bytes = bound.getsockname()
    return "@" + name[1:].decode()


def read(bound: socket.socket) -> list[Notice]:
    """What has arrived, never waiting, `BATCH` at most. Descriptors that came along are closed.

    Who waits for a barrier (sd_notify_barrier(3)) is let go by that.
    """
    found: list[Notice] = []
    while len(found) < BATCH:
        try:
            data, ancillary, _, _ = bound.recvmsg(
                SIZE, _SPACE, socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
            )
        except OSError:
            break
        found.append(Notice(frozenset(data.split(b"\n")), _take(ancillary)))
    return found


def _take(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The sender's pid; whatever else came is let go."""
    sender = 0
    for level, kind, payload in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            sender = _CREDENTIALS.unpack(payload[: _CREDENTIALS.size])[0]
        elif (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            for (fd,) in struct.iter_unpack("i", payload[: len(payload) // 4 * 4]):
                os.close(fd)
    return sender


def belongs(sender: int, pid: int) -> bool:
    """Is the sender the program `pid`, or a descendant of it that is still there?"""
    for _ in range(_CHAIN):
        if sender == pid:
            return sender > 0
        stat = linux.process_stat(sender) if sender > 1 else None
        if stat is None:
            return False
        sender = stat.parent
    return False


def mute(bound: socket.socket) -> None:
    """From here on the kernel throws away what arrives; what is there already stays to be read.

    Where there are no socket filters nothing changes.
    """
    instructions = ctypes.create_string_buffer(_DROP, len(_DROP))
    program = _PROGRAM.pack(1, ctypes.addressof(instructions))
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
    except OSError:
        pass


def unmute(bound: socket.socket) -> None:
    """From here on what arrives is kept until it is read."""
    try:
        bound.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
    except OSError:
        pass  # it was not muted

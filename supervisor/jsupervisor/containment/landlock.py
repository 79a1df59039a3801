"""Landlock: which paths a process reaches, whom it signals, and that it uses no TCP.

A ruleset is a descriptor: it is made while all paths can still be opened and is put into force as the
last but one step of a newborn's start. It binds whatever the process starts, and nobody can lift it.
It knows nothing of who may connect to a unix socket at a path: that is left to the sockets' own
modes, to init and to certificates. What the kernel lacks (`abi`) is left out.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jsupervisor.containment import kernel

_VERSION: Final = 1
_PATH_BENEATH: Final = 1

EXECUTE: Final = 1 << 0
WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
REMOVE_DIR: Final = 1 << 4
REMOVE_FILE: Final = 1 << 5
MAKE_DIR: Final = 1 << 7
MAKE_REG: Final = 1 << 8
MAKE_SOCK: Final = 1 << 9
MAKE_SYM: Final = 1 << 12
REFER: Final = 1 << 13
TRUNCATE: Final = 1 << 14
IOCTL_DEV: Final = 1 << 15

_ALL_OF_ABI: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_ON_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_TCP: Final = 0b11
_SCOPES: Final = 0b11
"""Abstract unix sockets and signals, of processes outside of the domain."""

READS: Final = READ_FILE | READ_DIR
WRITES: Final = (
    READS | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_SYM
    | TRUNCATE | IOCTL_DEV
)  # fmt: skip
"""All but making devices and moving between folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """What a process may reach; each path with everything beneath it. Those that are not there are skipped."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    executes: tuple[str, ...] = ()


def abi() -> int:
    """The kernel's version of Landlock; raises OSError where there is none, or it is switched off."""
    return kernel.syscall("landlock_create_ruleset", None, 0, _VERSION)


def make_ruleset(paths: Paths, version: int, *, signals: bool = False) -> int:
    """A descriptor of the rules, for a kernel of that ABI; raises OSError.

    With `signals` the process may signal others (its own children among them); it may never otherwise.
    """
    handled = _ALL_OF_ABI[max(known for known in _ALL_OF_ABI if known <= version)]
    scopes = 0 if version < 6 else _SCOPES & ~(2 if signals else 0)
    fields = struct.pack("=QQQ", handled, _TCP if version >= 4 else 0, scopes)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = kernel.syscall("landlock_create_ruleset", _buffer(fields[:size]), size, 0)
    try:
        for access, allowed in (
            (READS, paths.reads),
            (WRITES, paths.writes),
            (EXECUTE | READS, paths.executes),
        ):
            _allow(ruleset, allowed, access & handled)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def restrict(ruleset: int) -> None:
    """Hold this thread, and all it starts, to the rules; closes the descriptor. Raises OSError.

    Needs no_new_privs.
    """
    try:
        kernel.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[str], access: int) -> None:
    for path in paths:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what cannot be reached now is not reached later either
        try:
            rights = access if stat.S_ISDIR(os.fstat(fd).st_mode) else access & _ON_FILES
            rule = _buffer(struct.pack("=Qi", rights, fd))
            kernel.syscall("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
        finally:
            os.close(fd)


def _buffer(data: bytes) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(data, len(data))

"""The system calls of containment that Python lacks, by ctypes; every one raises OSError."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Final

from jsupervisor.containment.syscalls import number

PR_SET_DUMPABLE: Final = 4
PR_SET_KEEPCAPS: Final = 8
PR_CAPBSET_DROP: Final = 24
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
PR_CAP_AMBIENT_CLEAR_ALL: Final = 4


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


@cache
def architecture() -> str:
    """The machine's name, e.g. "x86_64"; of this process's own instruction set."""
    return os.uname().machine if ctypes.sizeof(ctypes.c_void_p) == 8 else "32 bit"


def prctl(option: int, *arguments: int) -> int:
    """prctl(2); its result."""
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return _checked(_libc().prctl(option, *values))


def syscall(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """A system call by name, its arguments numbers or buffers; OSError with ENOSYS where unknown."""
    values = [
        ctypes.c_void_p(None)
        if value is None
        else ctypes.c_long(value)
        if isinstance(value, int)
        else value
        for value in arguments
    ]
    return _checked(_libc().syscall(ctypes.c_long(number(name, architecture())), *values))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2)."""
    result = _libc().mount(
        source.encode() or None,
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(result)


def unshare(flags: int) -> None:
    """unshare(2), which os has from Python 3.12."""
    _checked(_libc().unshare(flags))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result

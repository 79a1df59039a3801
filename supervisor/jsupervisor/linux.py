"""The few Linux calls that Python lacks, and what /proc tells of a process.

Standard library alone: init and the launcher's newborn children use it before anything is imported.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import stat
from dataclasses import dataclass
from functools import cache
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_NAME: Final = 15
PR_SET_CHILD_SUBREAPER: Final = 36


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """What /proc/PID/stat says. A pid and its start time together name a process for ever."""

    pid: int
    state: str
    parent: int
    start_time: int
    """In clock ticks since boot."""
    session: int = 0
    name: str = ""
    """As ps shows it: 15 bytes at most."""


@cache
def _libc() -> ctypes.CDLL:
    """Loaded once: after a fork each new copy costs a hundred pages."""
    return ctypes.CDLL(None, use_errno=True)


def prctl(option: int, argument: int | bytes) -> None:
    """prctl(2) with one argument; raises OSError."""
    libc = _libc()
    value = ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def signal_main_thread(pid: int, number: int) -> None:
    """Send a signal that the main thread of `pid` will take, and no other one; raises OSError.

    A signal to the process is any thread's, and after SIGCONT often another one's. Without tgkill(2) in
    the C library it is sent to the process.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "tgkill"):
        os.kill(pid, number)
    elif libc.tgkill(pid, pid, number) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))


def become_subreaper() -> None:
    """Orphaned descendants become children of this process."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel SIGKILL this process when its present parent dies.

    A change of credentials clears this, and a parent that died before is not noticed: check getppid().
    """
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def set_process_name(name: str) -> None:
    """The name that ps and top show, cut to 15 bytes."""
    prctl(PR_SET_NAME, name.encode()[:15])


def open_log(path: str) -> int:
    """A log of a process that is about to run, to append to; raises OSError.

    A module that keeps files in the same folder may have put a link or a pipe there: neither is opened.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    fd = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a file", path)
    return fd


def process_stat(pid: int) -> ProcessStat | None:
    """What /proc says of `pid`; None when there is no such process (or no /proc)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The command may hold spaces and brackets: the fields begin after the last bracket.
    end = text.rindex(b")")
    fields = text[end + 2 :].split()
    return ProcessStat(
        pid=pid,
        state=fields[0].decode(),
        parent=int(fields[1]),
        start_time=int(fields[19]),
        session=int(fields[3]),
        name=text[text.index(b"(") + 1 : end].decode(errors="replace"),
    )


def own_children() -> list[int]:
    """The pids of this process's present children, zombies among them."""
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(child) for child in file.read().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return children(pid)


def children(pid: int) -> list[int]:
    """The pids of the present children of a process."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    stats = [process_stat(child) for child in pids]
    return [stat.pid for stat in stats if stat is not None and stat.parent == pid]

"""Keeps the log folder small while its files are written to, and sleeps while they are not.

The kernel tells of writes (inotify(7)): no file is looked at, and nobody is woken, while nothing is
written. After a write all files are looked at within a second, so a file is too long for that long at
most. eventd rotates its own files itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from jsupervisor.runtime.rotate import HELD, Rule, limit, trim

ARCHIVES: Final = "*.[0-9]*.gz"
CORES: Final = "*.core*"
PAUSE: Final = 1.0
"""Seconds between two looks while there are writes."""
BLIND: Final = 30.0
"""Seconds between two looks where the kernel tells nothing."""
IN_MODIFY: Final = 0x2
IN_CLOEXEC: Final = os.O_CLOEXEC
IN_NONBLOCK: Final = os.O_NONBLOCK


class LogKeeper:
    """One for an instance."""

    def __init__(
        self, logs: Path, crash: Path, rule: Callable[[], Rule], complain: Callable[[str], None]
    ) -> None:
        """`rule` is asked each time; `complain` is told once of what cannot be rotated, and why."""
        self._rule = rule
        self._logs = logs
        self._crash = crash
        self._complain = complain
        self._told: set[str] = set()

    async def run(self) -> None:
        """For ever."""
        watch = _watch(self._logs)
        try:
            while True:
                await trio.to_thread.run_sync(self.look)
                if watch is None:
                    await trio.sleep(BLIND)
                    continue
                await trio.lowlevel.wait_readable(watch)
                await trio.sleep(PAUSE)
                _drain(watch)
        finally:
            if watch is not None:
                os.close(watch)

    def look(self) -> list[Path]:
        """Trim what is too long, and remove the oldest of too much; the files that were trimmed."""
        trimmed, rule = [], self._rule()
        for path in sorted(path for pattern in HELD for path in self._logs.glob(pattern)):
            try:
                if trim(path, rule):
                    trimmed.append(path)
            except OSError as error:
                self._tell(path, error)
        if trimmed:
            try:
                limit({self._logs: ARCHIVES, self._crash: CORES}, rule.total)
            except OSError as error:
                self._tell(self._logs, error)
        return trimmed

    def _tell(self, path: Path, error: OSError) -> None:
        why = f"cannot rotate {path}: {error.strerror}"
        if error.errno == errno.EOPNOTSUPP:
            why = f"cannot rotate {path} while it is written to: its file system has no holes"
        if why not in self._told:
            self._told.add(why)
            self._complain(why)


def _watch(folder: Path) -> int | None:
    """A descriptor that becomes readable when a file of the folder is written to."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd: int = libc.inotify_init1(IN_CLOEXEC | IN_NONBLOCK)
    if fd < 0:
        return None
    if libc.inotify_add_watch(fd, os.fsencode(folder), ctypes.c_uint32(IN_MODIFY)) < 0:
        os.close(fd)
        return None
    return fd


def _drain(watch: int) -> None:
    try:
        while os.read(watch, 65536):
            pass
    except BlockingIOError:
        pass

"""A second supervisor that has imported everything and waits for the death of the first.

An interpreter and its imports take longer than everything that a new supervisor has to do. The one that
waits knows nothing, is connected to nobody and has no part in anything; init tells it over a pipe which
incarnation of jlaunchd it is, and from there on it is the same program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

WORD: Final = "standby"
"""What stands for the incarnation on its command line."""
RETRY_NS: Final = 5_000_000_000
"""After a standby that died while it waited, the next one is not at once."""

Spawn = Callable[[Sequence[str], int], int]
"""Starts a command line with a descriptor as its standard input; the pid. Raises OSError."""


class Standby:
    """At most one process."""

    def __init__(self, argv: Sequence[str], spawn: Spawn) -> None:
        self._argv = [*argv, WORD]
        self._spawn = spawn
        self._pipe = -1
        self.pid = 0
        self.due_ns: int | None = None
        """When one is to be started; None: not for now."""

    def want(self, now: int) -> None:
        """Everything is calm: have one, if there is none."""
        if not self.pid:
            self.due_ns = now

    def provide(self) -> None:
        """Start one. What cannot be started is done without."""
        self.due_ns = None
        ours = theirs = -1
        try:
            theirs, ours = os.pipe2(os.O_CLOEXEC)
            self.pid = self._spawn(self._argv, theirs)
            self._pipe, ours = ours, -1
        except OSError as error:
            print(f"cannot have a standby: {error}", file=sys.stderr, flush=True)
        finally:
            for fd in (ours, theirs):
                if fd >= 0:
                    os.close(fd)

    def promote(self, incarnation: int) -> int:
        """Have it be jlaunchd from now on; its pid, or 0 when there is none."""
        if not self.pid:
            return 0
        try:
            os.write(self._pipe, f"{incarnation}\n".encode())
        except OSError:
            return 0  # dead, and not reaped yet
        pid = self.pid
        self._forget()
        return pid

    def lost(self, pid: int, now: int) -> None:
        """A child is dead: if it was the one that waited, there is to be another, later."""
        if pid == self.pid:
            self._forget()
            self.due_ns = now + RETRY_NS

    def _forget(self) -> None:
        os.close(self._pipe)
        self._pipe, self.pid = -1, 0

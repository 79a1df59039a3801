"""Ends a hung child with SIGABRT, so that it leaves a trace of where it was.

A module of ours first writes its main thread's stack (`jsupervisor.runtime.crash`), and is given a moment
for that: an abort that interrupts it would lose it.
"""

from __future__ import annotations

import signal
from typing import Final

from jsupervisor import linux

OWN_STACK: Final = signal.SIGUSR2
OWN_STACK_NS: Final = 25_000_000


class Aborts:
    """Those that are under way. The pids are our children's, not reaped yet: nobody else has them."""

    def __init__(self) -> None:
        self._due: dict[int, int] = {}

    def begin(self, pid: int, now: int, *, ours: bool) -> None:
        """Abort a child; its main thread takes the signal. `ours`: one that knows OWN_STACK."""
        if ours:
            linux.signal_main_thread(pid, OWN_STACK)
            self._due[pid] = now + OWN_STACK_NS
        else:
            linux.signal_main_thread(pid, signal.SIGABRT)

    def run(self, now: int) -> list[int]:
        """Carry out what is due; when the others are."""
        for pid in [pid for pid, due in self._due.items() if due <= now]:
            del self._due[pid]
            linux.signal_main_thread(pid, signal.SIGABRT)
        return list(self._due.values())

    def reaped(self, pid: int) -> None:
        """It is gone."""
        self._due.pop(pid, None)

"""What one process uses, from /proc: processor time, memory, descriptors, threads.

Two reads a process, some 50 µs. PSS, the fair share of shared pages, is not among them: the kernel
walks the whole page table for it, 20 times as long, and holds the process's memory map meanwhile.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """One process at one moment."""

    cpu_seconds: float
    """User and system time, its threads included, its children not."""
    resident_bytes: int
    virtual_bytes: int
    threads: int
    open_fds: int
    """0 when they may not be looked at."""
    start_time: int
    """In clock ticks since boot: with the pid it names the process for ever."""

    @property
    def started_ns(self) -> int:
        """CLOCK_MONOTONIC of its start, if the machine has not slept; to a tick."""
        return self.start_time * 1_000_000_000 // TICKS


def usage(pid: int) -> Usage | None:
    """What the process uses now; None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # The command may hold spaces and brackets: the fields begin after the last bracket (proc(5)).
    fields = text[text.rindex(b")") + 2 :].split()
    return Usage(
        cpu_seconds=(int(fields[11]) + int(fields[12])) / TICKS,
        threads=int(fields[17]),
        start_time=int(fields[19]),
        virtual_bytes=int(fields[20]),
        resident_bytes=int(fields[21]) * PAGE,
        open_fds=_descriptors(pid),
    )


def _descriptors(pid: int) -> int:
    try:
        # Since Linux 6.2 the folder's size is their number; before, it is 0.
        folder = f"/proc/{pid}/fd"
        return os.stat(folder).st_size or len(os.listdir(folder))
    except OSError:
        return 0

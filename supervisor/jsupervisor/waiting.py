"""How long the threads of a process have waited for a processor: a busy machine is no module's fault.

/proc/PID/schedstat tells of the main thread alone, and a heartbeat passes several, so that every
thread in /proc/PID/task is looked at. The kernel adds a wait to the sum when it is over. One that still
lasts shows in a thread that is runnable at two looks without having run between them. A stopped process
waits for nothing: whatever its siblings do, its sum stands still.

Standard library alone: init judges jlaunchd and the launchers by it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_STOPPED: Final = "T"


@dataclass(frozen=True, slots=True)
class Turns:
    """One thread at one moment."""

    ran_ns: int
    waited_ns: int
    """For a processor, as far as those waits are over."""
    runnable: bool


@dataclass(frozen=True, slots=True)
class Threads:
    """All threads of a process at one moment, by thread id."""

    turns: Mapping[int, Turns]
    stopped: bool = False
    """By a signal."""


class Waiting:
    """Sums up the waits of one process, from the moment of `first` on."""

    def __init__(self, first: Threads, now: float) -> None:
        self._before = first
        self._at = now
        self._pending: dict[int, float] = {}
        """What was counted of waits that were not over yet, in seconds."""
        self.ran = 0.0
        """Seconds that its threads ran between the last two looks, summed."""

    def note(self, threads: Threads, now: float) -> float:
        """Seconds waited since the look before, by all threads together.

        Threads wait side by side, so that this is too much rather than too little. It is not more than
        the time in which none of them ran: a busy loop that has half a processor waits half the time,
        and whatever waits for it is no excuse.
        """
        passed, self._at = max(0.0, now - self._at), now
        before, self._before = self._before.turns, threads
        pending, self._pending = self._pending, {}
        waited = self.ran = 0.0
        if threads.stopped:
            return 0.0
        for thread, turns in threads.turns.items():
            old = before.get(thread)
            if old is None:
                continue
            self.ran += max(0, turns.ran_ns - old.ran_ns) / 1e9
            if turns == old and turns.runnable:
                self._pending[thread] = pending.get(thread, 0.0) + passed
                waited += passed
            else:
                over = (turns.waited_ns - old.waited_ns) / 1e9
                waited += max(0.0, over - pending.get(thread, 0.0))
        return max(0.0, min(waited, passed - self.ran))


def threads_of(pid: int) -> Threads:
    """The threads of a process now; none when it is gone, or when the kernel does not tell."""
    turns: dict[int, Turns] = {}
    stopped = False
    try:
        names = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return Threads({})
    for name in names:
        try:
            ran, waited, *_ = _read(f"/proc/{pid}/task/{name}/schedstat").split()
            stat = _read(f"/proc/{pid}/task/{name}/stat")
        except (OSError, ValueError):
            continue
        state = stat[stat.rindex(b")") + 2 :][:1].decode()
        stopped = stopped or state == _STOPPED
        turns[int(name)] = Turns(int(ran), int(waited), state == "R")
    return Threads(turns, stopped)


def _read(path: str) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, 1024)
    finally:
        os.close(fd)

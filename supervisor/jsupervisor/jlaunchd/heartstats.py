"""Counts heartbeats: asked, missed, how long the newest answer took and when it was seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class HeartCount:
    """Of one module, since this jlaunchd began to watch it."""

    asked: int = 0
    missed: int = 0
    seconds: float = 0.0
    """From question to answer, of the newest one answered."""
    seen_ns: int = field(default=0, compare=False)
    """CLOCK_MONOTONIC when the newest answer was seen; 0: none yet."""

    def note(self, answered: bool, seconds: float) -> None:
        """One question is over."""
        self.asked += 1
        if answered:
            self.seconds = seconds
            self.seen_ns = time.monotonic_ns()
        else:
            self.missed += 1


class HeartStats:
    """Of all modules."""

    def __init__(self) -> None:
        self._counts: dict[str, HeartCount] = {}

    def of(self, name: str) -> HeartCount:
        """The counters of one module, all 0 when it was never asked."""
        return self._counts.setdefault(name, HeartCount())

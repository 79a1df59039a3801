"""Counts heartbeats: asked, missed, and how long the newest answer took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class HeartCount:
    """Of one module, since this jlaunchd began to watch it."""

    asked: int = 0
    missed: int = 0
    seconds: float = 0.0
    """From question to answer, of the newest one answered."""

    def note(self, answered: bool, seconds: float) -> None:
        """One question is over."""
        self.asked += 1
        if answered:
            self.seconds = seconds
        else:
            self.missed += 1


class HeartStats:
    """Of all modules."""

    def __init__(self) -> None:
        self._counts: dict[str, HeartCount] = {}

    def of(self, name: str) -> HeartCount:
        """The counters of one module, all 0 when it was never asked."""
        return self._counts.setdefault(name, HeartCount())

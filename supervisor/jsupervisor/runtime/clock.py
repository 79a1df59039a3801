"""The time, as a thing that is handed in, so that a test can hand in another."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """CLOCK_MONOTONIC in seconds: for deadlines and intervals."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        """CLOCK_MONOTONIC in ns: comparable between processes of one machine."""
        return time.monotonic_ns()

    def time_ns(self) -> int:
        """CLOCK_REALTIME in ns since the epoch."""
        return time.time_ns()

    def utcnow(self) -> datetime:
        """The wall clock, with UTC as its zone."""
        return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """A moment as RFC 3339 section 5.6 has it, UTC, microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

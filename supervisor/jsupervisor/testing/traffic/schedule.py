"""Open loop: how many packets are due by now, whatever became of the earlier ones. Pure.

A generator that waits for its own slow sends hides exactly the outage it should measure, so the
schedule depends on the start time and the rate alone. What cannot be sent when it is due stays due
and is sent late; the sequence number tells when it should have left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SECOND_NS: Final = 1_000_000_000
TICK_NS: Final = 1_000_000
CATCH_UP: Final = 4
"""A backlog is sent at this many times the steady rate at most, like a link of that speed."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Packet k of the flow is due at start + k / rate."""

    start_ns: int
    rate: float

    def due(self, now: int) -> int:
        """How many packets should have been sent by `now`, the one due at `now` included."""
        if now < self.start_ns:
            return 0
        return int((now - self.start_ns) * self.rate / SECOND_NS) + 1

    def time_of(self, sequence: int) -> int:
        """When packet `sequence` (from 0) is due, in ns."""
        return self.start_ns + int(sequence * SECOND_NS / self.rate)

    def window(self, begin_ns: int, end_ns: int) -> range:
        """The sequence numbers that are due in begin <= t < end."""
        return range(self.due(begin_ns - 1), max(self.due(begin_ns - 1), self.due(end_ns - 1)))


class Pacer:
    """Spreads one flow's due packets over ticks, and a backlog over more of them."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._limit = max(2, int(schedule.rate * CATCH_UP * TICK_NS / SECOND_NS) + 1)
        self.next_sequence = 0

    def take(self, now: int) -> range:
        """The sequence numbers to send in this tick; they stay due until `sent`."""
        due = self._schedule.due(now)
        return range(self.next_sequence, min(due, self.next_sequence + self._limit))

    def sent(self, count: int) -> None:
        """The first `count` of those taken have left."""
        self.next_sequence += count

    def backlog(self, now: int) -> int:
        """Packets that are due and have not left."""
        return self._schedule.due(now) - self.next_sequence


def next_tick(start_ns: int, now: int) -> int:
    """The first tick after `now`, counted from `start_ns`, so that lateness does not add up."""
    if now < start_ns:
        return start_ns
    return start_ns + ((now - start_ns) // TICK_NS + 1) * TICK_NS

"""When is a silent module lost? A pure judge of looks that are made once an interval. No clock here.

A module has budget for `misses` intervals of silence, counted from the first look that should have
seen something. Two things are not held against it. Our own lateness: the first look after we were
late counts nothing, because an answer may lie unread before us; the second late look in a row does
count, since we have read everything in between. And the time that somebody in the chain waited for a
processor, up to WAITING_CAP in one silence, so that a process that really hangs is found even when
every core is busy: at the latest after `misses` intervals and WAITING_CAP. Waits that are a small part
of an interval explain no silence, and are not looked at.
"""

from __future__ import annotations

from typing import Final

from jsupervisor.jlaunchd.plan import Heartbeat

WAITING_CAP: Final = 2.0
"""Seconds of waiting for a processor that are forgiven in one silence, at most."""
FIRST_SIGN: Final = 2.0
"""Seconds that a module has for its very first sign, besides its misses: its sockets may be to come."""
SMALL: Final = 0.25
"""Waits of less than this part of an interval are not forgiven."""
_ROUNDING: Final = 1e-6


class Pulse:
    """The silence of one module."""

    def __init__(self, heartbeat: Heartbeat, first_sign: float = FIRST_SIGN) -> None:
        """`first_sign`: seconds that the first one may take longer."""
        self._heartbeat = heartbeat
        self._spared = first_sign
        self._was_late = False
        self.silent = 0.0
        """Seconds that count, since the newest sign of life."""
        self.forgiven = 0.0
        """Seconds of that silence that do not count, because somebody waited for a processor."""

    def sign(self) -> None:
        """It has given a sign of life since the look before."""
        self._spared = self.silent = self.forgiven = 0.0
        self._was_late = False

    def ready(self) -> None:
        """It has said so, between two looks: the next one may be too soon for another sign."""
        self.sign()
        self._was_late, self.silent = False, -self._heartbeat.interval

    def silence(self, *, late: bool, waited: float) -> bool:
        """It has given none for one more interval; is it lost?

        `late`: this look came later than it should have. `waited`: seconds of this interval in which
        the module, or we, waited for a processor.
        """
        counts, self._was_late = self._was_late or not late, late
        if not counts:
            return False
        interval = self._heartbeat.interval
        if waited < interval * SMALL:
            waited = 0.0
        forgiven = max(0.0, min(waited, interval, WAITING_CAP - self.forgiven))
        self.forgiven += forgiven
        self.silent += interval - forgiven
        return self.silent >= interval * self._heartbeat.misses + self._spared - _ROUNDING

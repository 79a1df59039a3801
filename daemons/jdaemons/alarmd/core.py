"""The active alarms: pure, no I/O and no clock.

An alarm lasts until its owner clears it. It is not kept over the death of alarmd: the owners know
what holds and raise it again, as on Junos.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from jdaemons.alarmd.events import Alarm, Clear, Command, Event, Publish, Raise, Withdraw, alarm_key

MOST: Final = 1000
"""Alarms that one source may have active."""


class TooManyAlarmsError(Exception):
    """A source has too many alarms active to raise another: it does not clear them."""


class Core:
    """What is active now."""

    def __init__(self) -> None:
        self.active: dict[str, Alarm] = {}
        """By key."""

    def handle(self, event: Event) -> list[Command]:
        """Take what a module says; what follows from it. Raises TooManyAlarmsError.

        Raising an active alarm again with the same words, or clearing an inactive one, changes
        nothing; with other words it is the same alarm, of the same time, in the new words.
        """
        match event:
            case Raise(alarm):
                return self._raise(alarm)
            case Clear(source, short_description):
                cleared = self.active.pop(alarm_key(source, short_description), None)
                return [] if cleared is None else [Withdraw(cleared)]

    def _raise(self, alarm: Alarm) -> list[Command]:
        known = self.active.get(alarm.key)
        if known is not None:
            alarm = replace(alarm, time=known.time)
        if alarm == known:
            return []
        if known is None and self._count(alarm.source) >= MOST:
            raise TooManyAlarmsError(
                f"cannot raise another alarm of {alarm.source}: {MOST} are active; clear some"
            )
        self.active[alarm.key] = alarm
        return [Publish(alarm)]

    def _count(self, source: str) -> int:
        return sum(alarm.source == source for alarm in self.active.values())

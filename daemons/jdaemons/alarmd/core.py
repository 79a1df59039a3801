"""Which alarms are active. Pure: what is said twice changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from jdaemons.alarmd.events import Alarm, Cleared, Command, Event, Publish, Raised, Refuse, Withdraw

MAX_ALARMS: Final = 1000


class Core:
    """The active alarms, in the order in which they became active."""

    def __init__(self) -> None:
        self._alarms: dict[str, Alarm] = {}

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """Active alarms by key."""
        return MappingProxyType(self._alarms)

    def handle(self, event: Event, now: str) -> list[Command]:
        """Apply an event at `now` (RFC 3339, UTC)."""
        match event:
            case Raised(alarm):
                return self._raise(alarm, now)
            case Cleared(source, short_description):
                gone = self._alarms.pop(f"{source}/{short_description}", None)
                return [] if gone is None else [Withdraw(gone)]

    def _raise(self, alarm: Alarm, now: str) -> list[Command]:
        if not alarm.source or not alarm.short_description:
            return [Refuse("cannot raise an alarm without source and short description")]
        known = self._alarms.get(alarm.key)
        if known is None and len(self._alarms) >= MAX_ALARMS:
            return [Refuse(f"cannot raise another alarm: {MAX_ALARMS} are active")]
        active = replace(alarm, time=now if known is None else known.time)
        if active == known:
            return []
        self._alarms[alarm.key] = active
        return [Publish(active)]

"""What goes into the core of alarmd and what comes out of it: frozen, comparable, loggable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class AlarmClass(Enum):
    """How bad it is, in Junos' words."""

    MINOR = "Minor"
    MAJOR = "Major"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One condition that an operator should know of, for as long as it holds."""

    source: str
    """The module that raises and clears it."""
    alarm_class: AlarmClass
    description: str
    short_description: str
    """Tells it from other alarms of the same source."""
    type: str
    """"Chassis", "Configuration", "System"..."""
    time: datetime
    """When it was first raised, UTC."""

    @property
    def key(self) -> str:
        """Its key in the feed `alarms`."""
        return alarm_key(self.source, self.short_description)


def alarm_key(source: str, short_description: str) -> str:
    """The key of an alarm in the feed `alarms`."""
    return f"{source}/{short_description}"


# -- in -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raise:
    """A module says that a condition holds."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Clear:
    """A module says that it holds no longer."""

    source: str
    short_description: str


Event = Raise | Clear


# -- out ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publish:
    """An alarm became active, or is active with another class or description."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An alarm is active no longer."""

    alarm: Alarm


Command = Publish | Withdraw

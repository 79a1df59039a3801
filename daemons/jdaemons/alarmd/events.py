"""What goes into the core of alarmd and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AlarmClass(Enum):
    """How bad it is, in Junos' words."""

    MINOR = "Minor"
    MAJOR = "Major"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition; source and short description together name it."""

    source: str
    alarm_class: AlarmClass
    description: str
    short_description: str
    type: str
    time: str = ""
    """RFC 3339, UTC; given when it becomes active."""

    @property
    def key(self) -> str:
        """Its key in the feed `alarms`."""
        return f"{self.source}/{self.short_description}"


@dataclass(frozen=True, slots=True)
class Raised:
    """Somebody says that an alarm's condition holds."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Cleared:
    """Somebody says that it holds no more."""

    source: str
    short_description: str


Event = Raised | Cleared


@dataclass(frozen=True, slots=True)
class Publish:
    """An alarm has become active, or has changed."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An alarm is active no more."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Refuse:
    """The event cannot be taken."""

    why: str


Command = Publish | Withdraw | Refuse
"""At most one for each event."""

"""Alarms between the core's values and the messages of alarmd.proto."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from jdaemons.alarmd.events import Alarm, AlarmClass
from jprotos.alarmd.v1 import alarmd_pb2
from jsupervisor.runtime.clock import rfc3339

_CLASSES: Final = MappingProxyType(
    {
        alarmd_pb2.ALARM_CLASS_MINOR: AlarmClass.MINOR,
        alarmd_pb2.ALARM_CLASS_MAJOR: AlarmClass.MAJOR,
    }
)
_NUMBERS: Final = MappingProxyType({value: number for number, value in _CLASSES.items()})


class WireError(ValueError):
    """A request cannot be used; the text, beginning with "cannot", says what it lacks."""


def read_alarm(message: alarmd_pb2.Alarm, now: datetime) -> Alarm:
    """The alarm in a request, raised `now` unless it says when; raises WireError."""
    check_name(message.source, message.short_description)
    if not message.description:
        raise WireError(f"cannot raise {message.short_description!r}: it has no description")
    alarm_class = _CLASSES.get(message.alarm_class)
    if alarm_class is None:
        raise WireError(
            f"cannot raise {message.short_description!r}: it is neither minor nor major"
        )
    return Alarm(
        source=message.source,
        alarm_class=alarm_class,
        description=message.description,
        short_description=message.short_description,
        type=message.type or "System",
        time=_time(message.time) if message.time else now,
    )


def check_name(source: str, short_description: str) -> None:
    """An alarm is known by source and short description; raises WireError when one is missing."""
    if not source or not short_description or "/" in source:
        raise WireError(
            f"cannot tell which alarm is meant: source {source!r},"
            f" short description {short_description!r}"
        )


def write_alarm(alarm: Alarm) -> bytes:
    """One item of the feed `alarms`."""
    message = alarmd_pb2.Alarm(
        source=alarm.source,
        alarm_class=_NUMBERS[alarm.alarm_class],
        description=alarm.description,
        short_description=alarm.short_description,
        type=alarm.type,
        time=rfc3339(alarm.time),
    )
    return message.SerializeToString(deterministic=True)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise WireError(f"cannot read the time {text!r}: {error}") from error
    if time.tzinfo is None:
        raise WireError(f"cannot read the time {text!r}: it has no zone")
    return time.astimezone(UTC)

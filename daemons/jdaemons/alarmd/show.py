"""`show system alarms` as data, in the element names of Junos' XML."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jdaemons.alarmd.events import Alarm
from jsupervisor.initproto import Json


def alarm_information(alarms: Iterable[Alarm]) -> Json:
    """`alarm-information`: a summary, and each alarm, the newest first."""
    details: list[Json] = [
        {
            "alarm-time": _junos_time(alarm.time),
            "alarm-class": alarm.alarm_class.value,
            "alarm-description": alarm.description,
            "alarm-short-description": alarm.short_description,
            "alarm-type": alarm.type,
        }
        for alarm in sorted(alarms, key=lambda alarm: alarm.time, reverse=True)
    ]
    if not details:
        return {"alarm-information": {"alarm-summary": {"no-active-alarms": ""}}}
    summary: Json = {"active-alarm-count": str(len(details))}
    return {"alarm-information": {"alarm-summary": summary, "alarm-detail": details}}


def _junos_time(text: str) -> str:
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC")

"""Operational data of alarmd: `alarm-information`."""

from __future__ import annotations

from collections.abc import Iterable

from jdaemons.alarmd.events import Alarm
from jsupervisor.initproto import Json


def alarm_information(alarms: Iterable[Alarm]) -> Json:
    """The active alarms as Junos shows them, the newest first."""
    ordered = sorted(alarms, key=lambda alarm: alarm.key)
    ordered.sort(key=lambda alarm: alarm.time, reverse=True)
    summary = {"active-alarm-count": str(len(ordered))} if ordered else {"no-active-alarms": ""}
    return {
        "alarm-information": {
            "alarm-summary": summary,
            "alarm-detail": [_detail(alarm) for alarm in ordered],
        }
    }


def _detail(alarm: Alarm) -> dict[str, str]:
    return {
        "alarm-time": alarm.time.strftime("%Y-%m-%d %H:%M:%S UTC"),
        "alarm-class": alarm.alarm_class.value,
        "alarm-description": alarm.description,
        "alarm-short-description": alarm.short_description,
        "alarm-type": alarm.type,
    }

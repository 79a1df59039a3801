"""`show system alarms` as data."""

from __future__ import annotations

from datetime import UTC, datetime

from jdaemons.alarmd.events import Alarm, AlarmClass
from jdaemons.alarmd.show import alarm_information


def an_alarm(name: str, year: int) -> Alarm:
    return Alarm(
        source="chassisd",
        alarm_class=AlarmClass.MINOR,
        description=f"{name} is not set",
        short_description=name,
        type="Configuration",
        time=datetime(year, 4, 17, 9, 9, 21, 500, tzinfo=UTC),
    )


def test_no_alarms() -> None:
    expected = {"alarm-summary": {"no-active-alarms": ""}, "alarm-detail": []}

    assert {"alarm-information": expected} == alarm_information([])


def test_the_newest_alarm_comes_first_and_equal_times_in_order_of_names() -> None:
    shown = alarm_information([an_alarm("b", 2014), an_alarm("c", 2020), an_alarm("a", 2014)])

    assert isinstance(shown, dict)
    information = shown["alarm-information"]
    assert {"active-alarm-count": "3"} == information["alarm-summary"]
    assert ["c", "a", "b"] == [
        detail["alarm-short-description"] for detail in information["alarm-detail"]
    ]
    assert {
        "alarm-time": "2020-04-17 09:09:21 UTC",
        "alarm-class": "Minor",
        "alarm-description": "c is not set",
        "alarm-short-description": "c",
        "alarm-type": "Configuration",
    } == information["alarm-detail"][0]

"""Requests of the Alarms service, good and bad."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jdaemons.alarmd.events import Alarm, AlarmClass
from jdaemons.alarmd.wire import WireError, check_name, read_alarm, write_alarm
from jprotos.alarmd.v1 import alarmd_pb2

NOW = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_message(**changes: object) -> alarmd_pb2.Alarm:
    fields: dict[str, object] = {
        "source": "jlaunchd",
        "alarm_class": alarmd_pb2.ALARM_CLASS_MAJOR,
        "description": "it thrashes",
        "short_description": "rpd thrashing",
        "type": "System",
    }
    return alarmd_pb2.Alarm(**(fields | changes))  # type: ignore[arg-type]


def test_an_alarm_without_a_time_is_raised_now() -> None:
    assert Alarm(
        source="jlaunchd",
        alarm_class=AlarmClass.MAJOR,
        description="it thrashes",
        short_description="rpd thrashing",
        type="System",
        time=NOW,
    ) == read_alarm(a_message(), NOW)


def test_an_alarm_that_says_when_keeps_its_time() -> None:
    alarm = read_alarm(a_message(time="2019-01-02T04:04:05+01:00"), NOW)

    assert datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC) == alarm.time


def test_an_alarm_without_a_type_is_the_systems() -> None:
    assert "System" == read_alarm(a_message(type=""), NOW).type


def test_what_is_written_is_read_again() -> None:
    alarm = read_alarm(a_message(), NOW)

    assert alarm == read_alarm(alarmd_pb2.Alarm.FromString(write_alarm(alarm)), datetime.now(UTC))


@pytest.mark.parametrize(
    "changes",
    [
        {"source": ""},
        {"source": "a/b"},
        {"short_description": ""},
        {"description": ""},
        {"alarm_class": alarmd_pb2.ALARM_CLASS_UNSPECIFIED},
        {"alarm_class": 9},
        {"time": "yesterday"},
        {"time": "2019-01-02T03:04:05"},
    ],
)
def test_what_lacks_something_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(WireError, match=r"^cannot "):
        read_alarm(a_message(**changes), NOW)


def test_a_name_needs_both_halves() -> None:
    with pytest.raises(WireError, match="cannot tell which alarm is meant"):
        check_name("jlaunchd", "")

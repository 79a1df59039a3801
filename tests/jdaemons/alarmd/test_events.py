"""An alarm's key tells it from all others."""

from __future__ import annotations

from datetime import UTC, datetime

from jdaemons.alarmd.events import Alarm, AlarmClass, alarm_key


def test_an_alarm_is_known_by_its_source_and_short_description() -> None:
    alarm = Alarm(
        source="chassisd",
        alarm_class=AlarmClass.MINOR,
        description="FPC 0 is offline",
        short_description="FPC 0 offline",
        type="Chassis",
        time=datetime.now(UTC),
    )

    assert "chassisd/FPC 0 offline" == alarm.key == alarm_key("chassisd", "FPC 0 offline")

"""Which alarms are active, after what was raised and cleared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jdaemons.alarmd.core import MOST, Core, TooManyAlarmsError
from jdaemons.alarmd.events import Alarm, AlarmClass, Clear, Publish, Raise, Withdraw

THEN = datetime(2020, 12, 22, 14, 48, 12, tzinfo=UTC)
ALARM = Alarm(
    source="jlaunchd",
    alarm_class=AlarmClass.MAJOR,
    description="routing is thrashing, not restarted",
    short_description="rpd thrashing",
    type="System",
    time=THEN,
)


def test_a_raised_alarm_is_active() -> None:
    core = Core()

    assert [Publish(ALARM)] == core.handle(Raise(ALARM))
    assert {"jlaunchd/rpd thrashing": ALARM} == core.active


def test_raising_it_again_changes_nothing_not_even_its_time() -> None:
    core = Core()
    core.handle(Raise(ALARM))

    assert [] == core.handle(Raise(replace(ALARM, time=THEN + timedelta(hours=1))))
    assert THEN == core.active[ALARM.key].time


def test_the_same_alarm_in_other_words_keeps_its_time() -> None:
    core = Core()
    core.handle(Raise(ALARM))
    minor = replace(ALARM, alarm_class=AlarmClass.MINOR, time=THEN + timedelta(hours=1))

    assert [Publish(replace(minor, time=THEN))] == core.handle(Raise(minor))


def test_a_cleared_alarm_is_gone() -> None:
    core = Core()
    core.handle(Raise(ALARM))

    assert [Withdraw(ALARM)] == core.handle(Clear("jlaunchd", "rpd thrashing"))
    assert {} == core.active


def test_clearing_an_inactive_alarm_changes_nothing() -> None:
    core = Core()
    core.handle(Raise(ALARM))

    assert [] == core.handle(Clear("chassisd", "rpd thrashing"))
    assert [] == core.handle(Clear("jlaunchd", "dcd thrashing"))
    assert [ALARM] == list(core.active.values())


def test_two_sources_may_have_alarms_of_one_name() -> None:
    core = Core()
    other = replace(ALARM, source="chassisd")
    core.handle(Raise(ALARM))
    core.handle(Raise(other))
    core.handle(Clear(ALARM.source, ALARM.short_description))

    assert [other] == list(core.active.values())


def test_a_source_that_never_clears_is_stopped_and_others_are_not() -> None:
    core = Core()
    for number in range(MOST):
        core.handle(Raise(replace(ALARM, short_description=str(number))))

    with pytest.raises(TooManyAlarmsError, match="cannot raise another alarm of jlaunchd"):
        core.handle(Raise(ALARM))
    assert [] == core.handle(Raise(replace(ALARM, short_description="7")))
    assert [] != core.handle(Raise(replace(ALARM, source="chassisd")))

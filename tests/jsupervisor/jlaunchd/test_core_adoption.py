"""A new supervisor takes over what the dead one left: nothing restarted, nothing counted twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.policy import POLICIES

Play = Callable[..., Any]
SLOW = {"start_timeout": 2.0, "stop_timeout": 1.0}


def lived(play: Play, **programs: Any) -> Any:
    """A supervisor whose module `a` is up."""
    script = play(**(programs or {"a": SLOW}))
    script(m.StartAll())
    script.up("a")
    return script


def test_a_ready_module_is_taken_over_as_it_is(play: Play) -> None:
    first = lived(play)
    second = play(records=first.records, a=SLOW)

    assert ["adopt a 1"] == second(first.adopted("a", "running", ready=True))
    assert [] == second(m.StartAll())
    assert (State.UP, 100, 1, "utc 100") == (
        second["a"].state,
        second["a"].pid,
        second["a"].incarnation,
        second["a"].ready_at,
    )
    assert [] == second.wait(60.0)


def test_what_requires_an_adopted_module_may_start(play: Play) -> None:
    chain = {"a": {}, "b": {"requires": ["a"]}}
    first = lived(play, **chain)
    second = play(records={"a": first.records["a"]}, **chain)
    second(first.adopted("a", "running", ready=True))

    assert ["launch b 1"] == second(m.StartAll())


def test_a_module_that_became_ready_meanwhile_is_told_of_now(play: Play) -> None:
    first = lived(play)
    first.exit("a")
    first.claim("a")
    second = play(records=first.records, a=SLOW)
    second.now = 100.5
    adopt = m.Adopt(
        name="a",
        incarnation=2,
        phase="running",
        pid=200,
        ready=True,
        record=first.records["a"],
        aside=False,
        ready_at=100.25,
    )

    assert ["adopt a 2", "ready a 2 after 250 ms", "clear a"] == second(adopt)
    assert (None, "utc 100.5", 1) == (
        second["a"].down_since,
        second["a"].ready_at,
        second["a"].restarts,
    )
    assert "up" == second.records["a"]["state"]


def test_a_module_that_is_still_starting_keeps_its_deadline(play: Play) -> None:
    first = play(a=SLOW)
    first(m.StartAll())
    first.claim("a")
    second = play(records=first.records, a=SLOW)
    second.now = 101.0
    second(first.adopted("a", "running"))
    second(m.StartAll())

    assert [] == second.wait(0.9)
    assert "SIGKILL a 1 start-timeout" in second.wait(0.2)


def test_a_reservation_is_waited_for(play: Play) -> None:
    first = play(a=SLOW)
    first(m.StartAll())
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "reserved"))

    assert [] == second(m.StartAll())
    assert ["start a 1"] == second.claim("a")


def test_a_death_that_nobody_counted_is_counted_once(play: Play) -> None:
    first = lived(play)
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "gone"))

    assert ["exit a 1 exit:1 -> restart in 0 ms", "launch a 2"] == second.exit("a", "exit:1")
    assert [] == second(m.StartAll())
    assert 1 == len(second["a"].failures)


def test_a_death_that_was_counted_is_not_counted_again(play: Play) -> None:
    first = lived(play)
    first.exit("a", "exit:1")
    launched = first.records["a"]
    second = play(records={"a": launched}, a=SLOW)
    second(
        m.Adopt(
            name="a",
            incarnation=2,
            phase="reserved",
            pid=0,
            ready=False,
            record=launched,
            aside=False,
        )
    )

    assert [] == second(
        m.Exited(name="a", incarnation=1, pid=100, cause="exit:1", at=100.0, notice=1)
    )
    assert 1 == len(second["a"].failures)


def test_a_death_whose_restart_was_lost_is_counted_by_the_successor_alone(play: Play) -> None:
    first = lived(play)
    kept = dict(first.records)
    first.exit("a", "exit:1")
    second = play(records=kept, a=SLOW)
    second(second.adopted("a", "gone"))

    assert ["exit a 1 exit:1 -> restart in 0 ms", "launch a 2"] == second.exit("a", "exit:1")
    assert 1 == len(second["a"].failures)


def test_a_death_without_a_notice_is_followed_by_a_start(play: Play) -> None:
    first = lived(play)
    second = play(records=first.records, a=SLOW)

    assert [] == second(first.adopted("a", "gone"))
    assert ["launch a 2"] == second(m.StartAll())


def test_a_back_off_goes_on(play: Play) -> None:
    first = lived(play)
    first["a"].program = replace(first["a"].program, policy=POLICIES["systemd"])
    first.exit("a")
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "gone"))

    assert [] == second(m.StartAll())
    assert [] == second.wait(0.05)
    assert ["launch a 2"] == second.wait(0.06)


def test_a_given_up_module_stays_given_up_and_its_alarm_is_raised_again(play: Play) -> None:
    first = lived(play)
    for _ in range(4):
        first.claim("a")
        first.exit("a")
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "gone"))

    assert ["alarm a: a is thrashing, not restarted"] == second(m.StartAll())
    assert State.FAILED is second["a"].state


def test_a_kill_that_may_not_have_been_carried_out_is_repeated(play: Play) -> None:
    first = lived(play)
    first(m.HeartbeatLost("a", 1))
    second = play(records=first.records, a=SLOW)

    assert ["adopt a 1", "SIGKILL a 1 hang"] == second(first.adopted("a", "running", ready=True))
    assert ["exit a 1 hang -> restart in 0 ms", "launch a 2"] == second.exit("a")


@pytest.mark.parametrize(
    ("how", "word"), [(m.How.GRACEFULLY, "SIGTERM"), (m.How.IMMEDIATELY, "SIGKILL")]
)
def test_a_restart_under_way_goes_on(play: Play, how: m.How, word: str) -> None:
    first = lived(play)
    first(m.RestartRequested("a", how))
    second = play(records=first.records, a=SLOW)

    assert ["adopt a 1", f"{word} a 1 requested:{how.value}"] == second(
        first.adopted("a", "running", ready=True)
    )
    second(m.StartAll())
    assert [f"exit a 1 requested:{how.value}", "launch a 2"] == second.exit("a", "exit:0")


def test_a_restart_whose_exit_came_meanwhile_is_completed(play: Play) -> None:
    first = lived(play)
    first(m.RestartRequested("a", m.How.GRACEFULLY))
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "gone"))

    assert ["exit a 1 requested:gracefully", "launch a 2"] == second.exit("a", "exit:0")
    assert () == second["a"].failures


def test_a_stop_request_is_remembered(play: Play) -> None:
    first = lived(play)
    first(m.StopRequested("a"))
    first.exit("a", "exit:0")
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "gone"))

    assert [] == second(m.StartAll())
    assert State.DOWN is second["a"].state


def test_a_stop_before_there_was_a_process_is_remembered(play: Play) -> None:
    first = play(a=SLOW)
    first(m.StartAll())
    first(m.StopRequested("a"))
    second = play(records=first.records, a=SLOW)

    assert ["adopt a 1", "SIGTERM a 1 requested:stop"] == second(first.adopted("a", "running"))


def test_a_module_whose_record_was_set_aside_runs_on_without_a_past(play: Play) -> None:
    first = lived(play)
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "running", ready=True, aside=True))

    assert State.UP is second["a"].state
    assert "warning JLAUNCHD_RECORD_ASIDE: a: record set aside" in second.log
    assert "up" == second.records["a"]["state"]


def test_a_record_that_makes_no_sense_ends_this_supervisor_and_init_counts_that(
    play: Play,
) -> None:
    script = play(records={"a": {"failures": "many"}}, a=SLOW)

    with pytest.raises((KeyError, TypeError, ValueError)):
        script(script.adopted("a", "running"))


def test_a_process_that_has_left_the_plan_is_stopped_and_forgotten(play: Play) -> None:
    script = play(a=SLOW)

    assert "adopt x 1" in script(script.adopted("x", "running", ready=True))
    assert ["launch a 1", "SIGTERM x 1 requested:stop"] == script(m.StartAll())
    assert ["exit x 1 requested:stop", "forget x"] == script.exit("x")
    assert ["a"] == list(script.core.modules)


def test_a_row_of_one_that_has_left_the_plan_and_is_gone_is_forgotten(play: Play) -> None:
    script = play(a=SLOW)
    script(script.adopted("x", "gone"))

    assert ["launch a 1", "forget x"] == script(m.StartAll())


def test_a_back_off_that_ended_before_everything_is_adopted_starts_nothing_yet(play: Play) -> None:
    first = lived(play)
    first["a"].program = replace(first["a"].program, policy=POLICIES["systemd"])
    first.exit("a")
    second = play(records=first.records, a=SLOW)
    second(first.adopted("a", "gone"))

    assert [] == second.wait(0.2)
    assert [] == second(m.StartAll())
    assert ["launch a 2"] == second(m.DeadlineReached())

"""The supervisor's decisions, as scripts: what happens, and what is commanded upon it."""

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


# -- starting -------------------------------------------------------------------------------------


def test_each_module_starts_when_what_it_requires_is_ready(play: Play) -> None:
    script = play()

    assert ["launch a 1"] == script(m.StartAll())
    assert ["start a 1"] == script.claim("a")
    assert ["serving a 1"] == script(m.Reported("a", 1, "serving", 100.0))
    assert ["ready a 1", "clear a", "launch b 1"] == script.ready("a")
    assert ["start b 1"] == script.claim("b")
    assert ["ready b 1", "clear b", "launch c 1"] == script.ready("b")


def test_modules_that_require_nothing_start_together_in_the_profiles_order(play: Play) -> None:
    script = play(z={}, a={}, c={"requires": ["a", "z"]})

    assert ["launch z 1", "launch a 1"] == script(m.StartAll())
    script.up("a")
    script.claim("z")

    assert ["ready z 1", "clear z", "launch c 1"] == script.ready("z")


def test_what_requires_one_that_stands_further_down_starts_after_it(play: Play) -> None:
    script = play(b={"requires": ["a"]}, a={})

    assert ["launch a 1"] == script(m.StartAll())
    script.claim("a")
    assert "launch b 1" in script.ready("a")


def test_nothing_starts_before_everything_is_adopted(play: Play) -> None:
    assert [] == play()(m.StartRequested("a"))


def test_a_module_that_does_not_become_ready_in_time_is_killed_and_counts_as_failed(
    play: Play,
) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.claim("a")

    assert [
        "hang a 1 start-timeout -> kill",
        "SIGABRT a 1 start-timeout",
        "SIGCONT a 1 start-timeout",
    ] == script.wait(2.0)
    assert ["exit a 1 start-timeout -> restart in 0 ms", "launch a 2"] == script.exit("a")
    assert "start-timeout" == script["a"].last_cause


def test_the_time_to_become_ready_begins_with_the_process(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())

    assert [] == script.wait(4.0)
    script.claim("a")
    assert [] == script.wait(1.9)
    assert "SIGABRT a 1 start-timeout" in script.wait(0.1)


def test_a_reservation_that_nobody_claimed_is_a_failed_start(play: Play) -> None:
    script = play()
    script(m.StartAll())

    assert ["exit a 1 unclaimed -> restart in 0 ms", "launch a 2"] == script.expire("a")
    assert "unclaimed" == script["a"].last_cause
    assert 1 == len(script["a"].failures)


def test_a_ready_that_comes_late_while_it_is_killed_changes_nothing(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.claim("a")
    script.wait(2.0)

    assert ["ready a 1"] == script.ready("a")
    assert State.KILLING is script["a"].state
    assert "" == script["a"].ready_at


# -- failing --------------------------------------------------------------------------------------


def test_a_crash_restarts_the_one_module_and_says_how_long_it_was_away(play: Play) -> None:
    script = play()
    script(m.StartAll())
    script.up("a", "b", "c")
    script.now = 200.0

    assert ["exit b 1 signal:SIGKILL -> restart in 0 ms", "launch b 2"] == script.exit("b")
    script.claim("b")
    script.now = 200.025
    assert ["ready b 2 after 25 ms", "clear b"] == script.ready("b")
    assert (1, "signal:SIGKILL", "utc 200.025") == (
        script["b"].restarts,
        script["b"].last_cause,
        script["b"].ready_at,
    )
    assert State.UP is script["c"].state


def test_the_downtime_counts_from_the_first_of_several_failures(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    script.exit("a")
    script.now += 1.0
    script.claim("a")
    script.exit("a")
    script.now += 1.0
    script.claim("a")

    assert "ready a 3 after 2000 ms" in script.ready("a")


def test_a_crashed_module_restarts_at_once_even_when_what_it_requires_is_down(play: Play) -> None:
    script = play()
    script(m.StartAll())
    script.up("a", "b")
    script.exit("a")

    assert "launch b 2" in script.exit("b")


def test_a_hang_is_killed_and_is_the_cause_of_the_exit(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")

    assert ["hang a 1 hang -> kill", "SIGABRT a 1 hang", "SIGCONT a 1 hang"] == script(
        m.HeartbeatLost("a", 1)
    )
    assert [] == script(m.HeartbeatLost("a", 1))
    assert [] == script.wait(0.09)
    assert ["SIGKILL a 1 hang"] == script.wait(0.02)
    assert [] == script.wait(60.0)
    assert ["exit a 1 hang -> restart in 0 ms", "launch a 2"] == script.exit("a")
    assert "" == script.records["a"]["killed_for"]


def test_a_lost_heartbeat_of_an_older_incarnation_means_nothing(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    script.exit("a")

    assert [] == script(m.HeartbeatLost("a", 1))
    assert [] == script(m.Reported("a", 1, "ready", 100.0))
    assert [] == script(m.Claimed("a", 1, 100))


def test_the_fourth_failure_within_thirty_seconds_is_the_end_until_an_operator_says_so(
    play: Play,
) -> None:
    script = play(a={}, b={"requires": ["a"]})
    script(m.StartAll())
    script.up("a", "b")
    for _ in range(3):
        assert "launch a" in script.exit("a")[-1]
        script.claim("a")

    assert [
        "exit a 4 signal:SIGKILL -> hold",
        "thrash a 4 signal:SIGKILL -> hold",
        "alarm a: a is thrashing, not restarted",
    ] == script.exit("a")
    assert "error JLAUNCHD_THRASHING: a is thrashing, not restarted" == script.log[-1]
    assert State.FAILED is script["a"].state
    assert State.UP is script["b"].state
    assert [] == script.wait(3600.0)

    assert ["launch a 5"] == script(m.StartRequested("a"))
    script.claim("a")
    assert "clear a" in script.ready("a")
    assert () == script["a"].failures


def test_a_module_under_back_off_waits_longer_each_time(play: Play) -> None:
    script = play(a={})
    script.core.modules["a"].program = _with_policy(script, "systemd")
    script(m.StartAll())
    script.claim("a")

    assert ["exit a 1 exit:1 -> restart in 100 ms"] == script.exit("a", "exit:1")
    assert State.BACKOFF is script["a"].state
    assert [] == script.wait(0.09)
    assert ["launch a 2"] == script.wait(0.02)


def test_a_start_request_cuts_the_back_off_short(play: Play) -> None:
    script = play(a={})
    script.core.modules["a"].program = _with_policy(script, "systemd")
    script(m.StartAll())
    script.claim("a")
    script.exit("a")

    assert ["launch a 2"] == script(m.StartRequested("a"))
    assert [] == script.wait(1.0)


def _with_policy(script: Any, policy: str) -> Any:
    return replace(script["a"].program, policy=POLICIES[policy])


@pytest.mark.parametrize(
    ("restart", "cause", "state"),
    [
        ("permanent", "exit:0", State.STARTING),
        ("transient", "exit:0", State.DOWN),
        ("transient", "exit:1", State.STARTING),
        ("transient", "signal:SIGSEGV", State.STARTING),
        ("temporary", "exit:1", State.DOWN),
        ("temporary", "signal:SIGSEGV", State.DOWN),
    ],
)
def test_restart_types_are_those_of_otp(play: Play, restart: str, cause: str, state: State) -> None:
    script = play(a={"restart": restart})
    script(m.StartAll())
    script.up("a")
    script.exit("a", cause)

    assert state is script["a"].state
    assert cause == script["a"].last_cause


def test_a_transient_module_that_left_can_be_started_again(play: Play) -> None:
    script = play(a={"restart": "transient"})
    script(m.StartAll())
    script.up("a")
    script.exit("a", "exit:0")

    assert [] == script.wait(60.0)
    assert ["launch a 2"] == script(m.StartRequested("a"))


def test_a_transient_module_that_we_killed_for_a_hang_is_restarted(play: Play) -> None:
    script = play(a={"restart": "transient"})
    script(m.StartAll())
    script.up("a")
    script(m.HeartbeatLost("a", 1))

    assert "launch a 2" in script.exit("a", "exit:0")


@pytest.mark.parametrize(
    ("cause", "line"),
    [
        ("signal:SIGKILL", "a (PID 100) terminated by signal number 9."),
        ("signal:64", "a (PID 100) terminated by signal number 64."),
        ("exit:0", "a (PID 100) exited with status=0 Normal Exit"),
        ("exit:17", "a (PID 100) exited with status=17"),
    ],
)
def test_exits_are_logged_in_junos_words(play: Play, cause: str, line: str) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    script.exit("a", cause)

    assert f"notice JLAUNCHD_EXITED: {line}" in script.log


def test_a_notice_is_never_counted_twice(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    event = m.Exited(name="a", incarnation=1, pid=100, cause="exit:1", at=100.0, notice=7)
    script(event)

    assert [] == script(event)
    assert 1 == len(script["a"].failures)


# -- requests -------------------------------------------------------------------------------------


def test_a_graceful_restart_asks_waits_and_does_not_count(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.up("a")
    for number in range(1, 11):
        asked = script(m.RestartRequested("a", m.How.GRACEFULLY))
        left = script.exit("a", "exit:0")
        script.up("a")

        assert [
            f"restart a {number} requested:gracefully",
            f"SIGTERM a {number} requested:gracefully",
        ] == asked
        assert [f"exit a {number} requested:gracefully", f"launch a {number + 1}"] == left
    assert () == script["a"].failures
    assert "requested:gracefully" == script["a"].last_cause


def test_a_graceful_restart_that_takes_too_long_is_finished_by_force(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.up("a")
    script(m.RestartRequested("a", m.How.GRACEFULLY))

    assert ["SIGKILL a 1 stop-timeout"] == script.wait(1.5)
    assert ["exit a 1 requested:gracefully", "launch a 2"] == script.exit("a")


def test_an_immediate_restart_kills(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")

    assert "SIGKILL a 1 requested:immediately" in script(m.RestartRequested("a", m.How.IMMEDIATELY))
    assert ["exit a 1 requested:immediately", "launch a 2"] == script.exit("a")


def test_a_soft_restart_keeps_the_process(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")

    assert ["restart a 1 requested:soft", "SIGHUP a 1"] == script(
        m.RestartRequested("a", m.How.SOFT)
    )
    assert (State.UP, "requested:soft") == (script["a"].state, script["a"].last_cause)


def test_a_soft_restart_of_one_that_is_still_starting_does_not_kill_it(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.claim("a")

    assert ["restart a 1 requested:soft"] == script(m.RestartRequested("a", m.How.SOFT))


@pytest.mark.parametrize(
    ("how", "word"), [(m.How.GRACEFULLY, "SIGTERM"), (m.How.IMMEDIATELY, "SIGKILL")]
)
def test_a_restart_before_there_is_a_process_waits_for_it(
    play: Play, how: m.How, word: str
) -> None:
    script = play(a=SLOW)
    script(m.StartAll())

    assert [f"restart a 1 requested:{how.value}"] == script(m.RestartRequested("a", how))
    assert ["start a 1", f"{word} a 1 requested:{how.value}"] == script.claim("a")


def test_a_restart_request_revives_a_module_that_is_down_or_failed(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    script(m.StopRequested("a"))
    script.exit("a", "exit:0")

    assert ["launch a 2"] == script(m.RestartRequested("a", m.How.GRACEFULLY))


def test_a_stop_asks_then_kills_and_stays(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.up("a")

    assert ["SIGTERM a 1 requested:stop"] == script(m.StopRequested("a"))
    assert ["SIGKILL a 1 stop-timeout"] == script.wait(1.0)
    assert ["SIGKILL a 1 stop-timeout"] == script.wait(1.0)
    assert ["exit a 1 requested:stop"] == script.exit("a")
    assert (State.DOWN, "requested:stop") == (script["a"].state, script["a"].last_cause)
    assert [] == script.wait(60.0)


def test_a_stop_wins_over_a_restart_under_way(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    script(m.RestartRequested("a", m.How.GRACEFULLY))
    script(m.StopRequested("a"))

    assert ["exit a 1 requested:stop"] == script.exit("a", "exit:0")


def test_a_start_wins_over_a_stop_under_way(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())
    script.up("a")
    script(m.StopRequested("a"))
    script(m.StartRequested("a"))

    assert ["exit a 1 requested:stop", "launch a 2"] == script.exit("a", "exit:0")


def test_a_hang_while_it_is_asked_to_stop_is_left_to_the_deadline(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.up("a")
    script(m.StopRequested("a"))

    assert [] == script(m.HeartbeatLost("a", 1))


def test_a_stop_of_a_module_that_is_being_killed_is_a_stop(play: Play) -> None:
    script = play(a=SLOW)
    script(m.StartAll())
    script.up("a")
    script(m.HeartbeatLost("a", 1))
    script(m.StopRequested("a"))

    assert ["exit a 1 requested:stop"] == script.exit("a")
    assert () == script["a"].failures


# -- the end --------------------------------------------------------------------------------------


def test_everything_stops_in_reverse_order(play: Play) -> None:
    script = play()
    script(m.StartAll())
    script.up("a", "b", "c")

    assert ["SIGTERM c 1 requested:stop"] == script(m.StopAll())
    assert ["exit c 1 requested:stop", "SIGTERM b 1 requested:stop"] == script.exit("c", "exit:0")
    assert ["exit b 1 requested:stop", "SIGTERM a 1 requested:stop"] == script.exit("b", "exit:0")
    assert ["exit a 1 requested:stop", "all stopped"] == script.exit("a", "exit:0")


def test_a_module_that_crashes_while_everything_stops_is_not_started_again(play: Play) -> None:
    script = play()
    script(m.StartAll())
    script.up("a", "b", "c")
    script(m.StopAll())

    assert ["exit a 1 signal:SIGKILL"] == script.exit("a")
    script.exit("c", "exit:0")
    assert "all stopped" in script.exit("b", "exit:0")


@pytest.mark.parametrize("backwards", [False, True])
def test_given_up_modules_do_not_hold_up_the_stop_whatever_the_profiles_order(
    play: Play, backwards: bool
) -> None:
    programs = {"a": {}, "b": {"requires": ["a"]}, "c": {"requires": ["b"]}}
    script = play(**dict(reversed(programs.items()) if backwards else programs.items()))
    script(m.StartAll())
    script.up("a", "b", "c")
    for name in "abc":
        for _ in range(4):
            script.claim(name)
            script.exit(name)

    assert {State.FAILED} == {module.state for module in script.core.modules.values()}
    assert ["all stopped"] == script(m.StopAll())


def test_requests_come_too_late_once_everything_stops(play: Play) -> None:
    script = play(a={}, b={"requires": ["a"]})
    script(m.StartAll())
    script.up("a", "b")
    script(m.StopAll())

    assert [] == script(m.StartRequested("b"))
    assert [] == script(m.RestartRequested("a", m.How.IMMEDIATELY))
    script.exit("b", "exit:0")
    assert "all stopped" in script.exit("a", "exit:0")


def test_a_stop_before_any_start_is_over_at_once(play: Play) -> None:
    script = play()
    script(m.StopAll())

    assert ["all stopped"] == script(m.StartAll())


def test_a_module_without_a_process_yet_is_stopped_when_it_has_one(play: Play) -> None:
    script = play(a={})
    script(m.StartAll())

    assert [] == script(m.StopAll())
    assert ["start a 1", "SIGTERM a 1 requested:stop"] == script.claim("a")


def test_events_of_a_module_that_is_not_in_the_plan_are_errors_or_nothing(play: Play) -> None:
    script = play()

    assert [] == script(m.Expired("x", 1, 1))
    with pytest.raises(KeyError):
        script(m.StartRequested("x"))

"""Groups, followers and plan changes, as scripts: one fails, and what is commanded about the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.plan import Plan, with_policy
from jsupervisor.jlaunchd.profile import parse_plan

Play = Callable[..., Any]
Act = Callable[[str], Any]

ABC = "".join(f'[program.{name}]\nentry = "m:C"\n' for name in "abc")


def plan(text: str) -> Plan:
    """Programs a, b and c, and what `text` says besides."""
    return parse_plan(f'[profile]\nname = "p"\n{ABC}{text}', "p.toml")


def group(strategy: str, *, members: str = '"a", "b", "c"', name: str = "g", **keys: object) -> str:
    """A group's table."""
    lines = [f"[group.{name}]", f"members = [{members}]", f'strategy = "{strategy}"']
    return "\n".join([*lines, *(f"{key} = {value}" for key, value in keys.items())]) + "\n"


@pytest.fixture
def act(play: Play) -> Act:
    """Makes the script of a plan, with every module up."""

    def begin(text: str) -> Any:
        script = type(play())(plan(text))
        script(m.StartAll())
        for name in script.core.modules:
            script.up(name)
        assert {State.UP} == {module.state for module in script.core.modules.values()}
        return script

    return begin


# -- strategies -----------------------------------------------------------------------------------


def test_one_for_all_stops_the_others_in_reverse_and_starts_all_in_order(act: Act) -> None:
    script = act(group("one_for_all"))

    assert [
        "exit b 1 signal:SIGKILL -> restart in 0 ms with a, c",
        "SIGTERM c 1 requested:group:g",
        "SIGTERM a 1 requested:group:g",
    ] == script.exit("b")
    assert ["exit c 1 requested:group:g"] == script.exit("c", "exit:0")
    assert ["exit a 1 requested:group:g", "launch a 2"] == script.exit("a", "exit:0")
    script.claim("a")
    assert "launch b 2" in script.ready("a")
    script.claim("b")
    assert "launch c 2" in script.ready("b")
    script.up("c")

    assert [1, 1, 1] == [module.restarts for module in script.core.modules.values()]
    assert [0, 1, 0] == [len(module.failures) for module in script.core.modules.values()]


def test_rest_for_one_leaves_those_before_the_failed_one_alone(act: Act) -> None:
    script = act(group("rest_for_one"))

    assert [
        "exit b 1 signal:SIGKILL -> restart in 0 ms with c",
        "SIGTERM c 1 requested:group:g",
    ] == script.exit("b")
    assert ["exit c 1 requested:group:g", "launch b 2"] == script.exit("c", "exit:0")
    script.claim("b")
    assert "launch c 2" in script.ready("b")
    assert State.UP is script["a"].state


def test_the_last_of_rest_for_one_restarts_alone_and_at_once(act: Act) -> None:
    script = act(group("rest_for_one"))

    assert "launch c 2" in script.exit("c")


def test_a_group_starts_in_its_order_each_when_the_one_before_is_ready(play: Play) -> None:
    script = type(play())(plan(group("rest_for_one", members='"c", "a", "b"')))

    assert ["launch c 1"] == script(m.StartAll())
    script.claim("c")
    assert "launch a 1" in script.ready("c")


def test_a_member_that_is_not_wanted_is_not_waited_for_nor_brought_back(act: Act) -> None:
    script = act(group("one_for_all"))
    script(m.StopRequested("a"))
    script.exit("a", "exit:0")

    script.exit("b")
    assert "launch b 2" in script.exit("c", "exit:0")
    assert State.DOWN is script["a"].state


def test_a_second_failure_while_the_group_goes_down_changes_nothing(act: Act) -> None:
    script = act(group("one_for_all"))
    script.exit("b")

    assert ["exit a 1 requested:group:g"] == script.exit("a", "signal:SIGSEGV")
    assert "launch a 2" in script.exit("c", "signal:SIGSEGV")
    assert 1 == sum(len(module.failures) for module in script.core.modules.values())


def test_one_that_does_not_go_down_in_time_is_killed_and_the_group_goes_on(act: Act) -> None:
    script = act(group("rest_for_one"))
    script.exit("b")

    assert ["SIGKILL c 1 stop-timeout"] == script.wait(5.0)
    assert "launch b 2" in script.exit("c")


# -- intensity and escalation ---------------------------------------------------------------------


def test_failures_of_all_members_count_against_a_groups_intensity(act: Act) -> None:
    script = act(group("one_for_one", intensity=2, period=60))
    for name in "ab":
        script.exit(name)
        script.up(name)

    lines = script.exit("c")
    assert "thrash c 1 signal:SIGKILL -> hold" in lines
    assert [State.UP, State.UP, State.FAILED] == [x.state for x in script.core.modules.values()]


def test_a_group_that_restarts_together_is_held_together(act: Act) -> None:
    script = act(group("rest_for_one", intensity=0))

    assert [
        "exit b 1 signal:SIGKILL -> hold",
        "SIGTERM c 1 requested:hold",
        "thrash b 1 signal:SIGKILL -> hold",
        "alarm b: b is thrashing, not restarted",
    ] == script.exit("b")
    script.exit("c", "exit:0")
    assert [State.UP, State.FAILED, State.FAILED] == [x.state for x in script.core.modules.values()]
    assert ["launch b 2"] == script(m.StartRequested("b"))


def test_a_program_with_a_policy_of_its_own_is_judged_alone(act: Act) -> None:
    own = 'policy = "never-give-up"\n'
    text = group("one_for_one", intensity=0)
    script = act(f'[program.d]\nentry = "m:C"\n{own}' + text.replace('"c"]', '"c", "d"]'))

    for _ in range(3):
        assert "launch d" in (script.exit("d") + script.wait(1.0))[-1]
        script.up("d")
    assert "thrash a 1 signal:SIGKILL -> hold" in script.exit("a")


NESTED = group("one_for_all", name="outer", members='"a", "inner"', intensity=1, period=60) + group(
    "one_for_one", name="inner", members='"b", "c"', intensity=1, period=60, on_thrash='"escalate"'
)


def test_beyond_its_intensity_a_group_escalates_and_all_of_the_one_above_restarts(
    act: Act,
) -> None:
    script = act(NESTED)
    script.exit("b")
    script.up("b")

    lines = script.exit("c")
    assert [
        "exit c 1 signal:SIGKILL -> restart in 0 ms with a, b",
        "escalate c 1 inner -> restart in 0 ms with a, b",
        "SIGTERM b 2 requested:group:outer",
        "SIGTERM a 1 requested:group:outer",
    ] == lines
    script.exit("b", "exit:0")
    assert "launch a 2" in script.exit("a", "exit:0")


def test_after_an_escalation_the_inner_group_begins_with_a_clean_slate(act: Act) -> None:
    script = act(NESTED)
    script.exit("b")
    script.up("b")
    script.exit("c")
    script.exit("b", "exit:0")
    script.exit("a", "exit:0")
    script.up("a", "b", "c")

    assert "launch b 4" in script.exit("b")


def test_the_outer_group_counts_escalations_and_gives_up_in_its_turn(act: Act) -> None:
    script = act(NESTED)
    for _ in range(2):
        script.exit("b")
        script.up("b")
        lines = script.exit("c")
        for name in "ba":
            script.exit(name, "exit:0")
        if "thrash" not in " ".join(lines):
            script.up("a", "b", "c")

    assert {State.FAILED} == {module.state for module in script.core.modules.values()}


def test_what_escalates_at_the_top_holds_the_whole_group(act: Act) -> None:
    script = act(group("one_for_one", intensity=0, on_thrash='"escalate"'))
    script.exit("b")
    for name in "ac":
        script.exit(name, "exit:0")

    assert {State.FAILED} == {module.state for module in script.core.modules.values()}


@pytest.mark.parametrize("kind", ["alternate-media", "other-routing-engine"])
def test_a_policy_may_fail_over(act: Act, kind: str) -> None:
    script = act(group("one_for_one", intensity=0, on_thrash=f'"{kind}"'))

    lines = script.exit("b")
    assert f"exit b 1 signal:SIGKILL -> {kind}" in lines
    assert f"failover b {kind}" in lines
    assert State.FAILED is script["b"].state


# -- back-off -------------------------------------------------------------------------------------


BACKOFF = "{ initial = 0.1, factor = 2.0, cap = 1.0, reset = 5.0 }"


def test_a_healthy_run_begins_the_back_off_anew(act: Act) -> None:
    script = act(group("one_for_one", intensity=50, backoff=BACKOFF))

    def delay() -> str:
        line: str = script.exit("a")[0]
        script.wait(1.0)
        script.up("a")
        return line.rpartition("restart in ")[2]

    assert ["100 ms", "200 ms", "400 ms"] == [delay() for _ in range(3)]
    script.wait(5.0)
    assert "100 ms" == delay()


# -- followers ------------------------------------------------------------------------------------


FOLLOW = """
[program.d]
entry = "m:C"
requires = ["a"]
follows = ["a"]
[program.e]
entry = "m:C"
requires = ["d"]
follows = ["d"]
[program.f]
entry = "m:C"
requires = ["a"]
"""


def test_dependants_restart_only_where_that_is_declared(act: Act) -> None:
    script = act(FOLLOW)

    assert [
        "exit a 1 signal:SIGKILL -> restart in 0 ms",
        "SIGTERM e 1 requested:follow:d",
        "SIGTERM d 1 requested:follow:a",
        "launch a 2",
    ] == script.exit("a")
    script.exit("e", "exit:0")
    script.exit("d", "exit:0")
    script.claim("a")
    assert "launch d 2" in script.ready("a")
    script.claim("d")
    assert "launch e 2" in script.ready("d")
    assert State.UP is script["f"].state


def test_followers_follow_a_requested_restart_too(act: Act) -> None:
    script = act(FOLLOW)

    lines = script(m.RestartRequested("d", m.How.GRACEFULLY))
    assert ["SIGTERM e 1 requested:follow:d", "SIGTERM d 1 requested:gracefully"] == lines[1:]


# -- waiting --------------------------------------------------------------------------------------


def test_who_waits_too_long_says_for_whom_and_goes_on_waiting(play: Play) -> None:
    script = play(a={}, b={"requires": ["a"], "requires_timeout": 2.0})
    script(m.StartAll())
    script.claim("a")

    assert [
        "waiting b requires:a -> wait",
        "alarm b: b waits for a (starting)",
    ] == [line.replace(" 0 ", " ") for line in script.wait(2.5)]
    assert "warning JLAUNCHD_WAITING: b has waited 2 s for a (starting), and goes on waiting" in (
        script.log
    )
    assert [] == script.wait(20.0)
    assert "launch b 1" in script.ready("a")
    script.claim("b")
    assert "clear b" in script.ready("b")


# -- changes of the plan --------------------------------------------------------------------------


def test_a_policy_is_changed_live_and_nothing_restarts(act: Act) -> None:
    script = act(group("one_for_one", intensity=0))

    assert [] == script(m.PlanChanged(with_policy(plan(group("one_for_one")), "never-give-up")))
    assert "launch a 2" in script.exit("a")


def test_a_reload_starts_what_is_new_and_stops_and_forgets_what_has_left(act: Act) -> None:
    script = act("")
    text = '[profile]\nname = "p"\n[program.d]\nentry = "m:C"\n[program.a]\nentry = "m:C"\n'
    new = parse_plan(text, "p.toml")

    assert [
        "launch d 1",
        "SIGTERM c 1 requested:stop",
        "SIGTERM b 1 requested:stop",
    ] == script(m.PlanChanged(new))
    assert ["exit b 1 requested:stop", "forget b"] == script.exit("b", "exit:0")
    script.exit("c", "exit:0")
    assert ["d", "a"] == list(script.core.modules)


def test_one_that_comes_back_into_the_plan_while_it_goes_down_starts_again(act: Act) -> None:
    script = act("")
    script(m.PlanChanged(parse_plan('[profile]\nname = "p"\n[program.a]\nentry = "m:C"\n', "p")))
    script(m.PlanChanged(plan("")))
    script.exit("b", "exit:0")

    assert State.STARTING is script["b"].state


# -- operators ------------------------------------------------------------------------------------


def test_an_abort_asks_for_a_dump_and_is_no_failure(act: Act) -> None:
    script = act("")

    assert "SIGABRT a 1 requested:abort" in script(m.RestartRequested("a", m.How.ABORT))
    assert "launch a 2" in script.exit("a", "signal:SIGABRT")
    assert () == script["a"].failures


@pytest.mark.parametrize(
    ("how", "word"),
    [
        (m.How.GRACEFULLY, "SIGTERM"),
        (m.How.IMMEDIATELY, "SIGKILL"),
        (m.How.ABORT, "SIGABRT"),
    ],
)
def test_a_stop_may_be_of_any_kind(act: Act, how: m.How, word: str) -> None:
    script = act("")

    assert [f"{word} a 1 requested:stop"] == script(m.StopRequested("a", how))
    script.exit("a")
    script(m.StartRequested("a"))
    script.up("a")
    assert ["SIGTERM a 2 requested:stop"] == script(m.StopRequested("a"))


def test_clearing_forgets_failures_and_lets_a_stopped_module_go_on(act: Act) -> None:
    script = act("")
    script.exit("a")
    script.up("a")

    assert ["clear a", "SIGCONT a 2"] == script(m.ClearRequested("a"))
    assert () == script["a"].failures


def test_clearing_one_that_was_given_up_leaves_it_down(act: Act) -> None:
    script = act(group("one_for_one", intensity=0))
    script.exit("a")

    assert ["clear a"] == script(m.ClearRequested("a"))
    assert State.DOWN is script["a"].state
    assert [] == script.wait(60.0)


# -- deaths of the supervisor ---------------------------------------------------------------------


def test_a_successor_finishes_what_a_group_had_begun(act: Act, play: Play) -> None:
    text = group("one_for_all")
    first = act(text)
    first.exit("b")
    records: Mapping[str, Any] = first.records
    second = type(first)(plan(text), records)
    for name, phase in (("a", "running"), ("b", "gone"), ("c", "running")):
        second(second.adopted(name, phase, ready=phase == "running"))
    second.notice = 10
    second(m.StartAll())

    assert [State.STOPPING, State.BACKOFF, State.STOPPING] == [
        x.state for x in second.core.modules.values()
    ]
    second.exit("c", "exit:0")
    assert "launch a 2" in second.exit("a", "exit:0")

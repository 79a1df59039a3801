"""Who is judged by whose policy, and what counts where."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from jsupervisor.jlaunchd.judge import ESCALATIONS, Decision, Judge
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.jlaunchd.profile import parse_plan

PROGRAMS = "".join(f'[program.{name}]\nentry = "m:C"\n' for name in "abcd")


def judge_of(text: str) -> Judge:
    """The judge of a plan of a, b, c and d with these groups."""
    plan = parse_plan(f'[profile]\nname = "p"\npolicy = "erlang"\n{PROGRAMS}{text}', "p.toml")
    modules = {program.name: Module(program) for program in plan.programs}
    return Judge(plan.tree(), modules, lambda: 0.0)


def fail(judge: Judge, name: str, at: float) -> Decision:
    """`name` fails."""
    return judge.decide(judge._modules[name], at)


GROUP = """
[group.g]
members = ["a", "b", "c"]
strategy = "rest_for_one"
intensity = 2
period = 10
"""


def test_what_stands_in_no_group_is_judged_by_the_profiles_policy() -> None:
    judge = judge_of(GROUP)

    assert Decision(delay=0.0, attempt=1, together=("d",)) == fail(judge, "d", 0.0)
    assert Decision(delay=None, attempt=2, together=("d",)) == fail(judge, "d", 4.9)


def test_failures_of_different_members_add_up() -> None:
    judge = judge_of(GROUP)
    decisions = [fail(judge, name, at) for at, name in enumerate("abc")]

    assert [1, 2, 3] == [decision.attempt for decision in decisions]
    assert [0.0, 0.0, None] == [decision.delay for decision in decisions]
    assert ["abc", "bc", "c"] == ["".join(decision.together) for decision in decisions]
    assert ["g", "g", ""] == [decision.scope for decision in decisions]


def test_failures_leave_the_window_after_the_period() -> None:
    judge = judge_of(GROUP)
    for at in (0.0, 5.0):
        fail(judge, "a", at)

    assert 2 == judge.counting(judge._modules["b"], 9.0)
    assert 1 == judge.counting(judge._modules["b"], 12.0)
    assert 2 == fail(judge, "b", 12.0).attempt


def test_what_is_forgotten_counts_nowhere() -> None:
    judge = judge_of(GROUP)
    fail(judge, "a", 0.0)
    judge.forget(judge._modules["a"])

    assert 0 == judge.counting(judge._modules["b"], 0.0)


DEEP = """
[group.outer]
members = ["middle", "d"]
policy = "never-give-up"
[group.middle]
members = ["inner"]
intensity = 1
period = 100
on_thrash = "escalate"
[group.inner]
members = ["a", "b", "c"]
intensity = 0
period = 100
on_thrash = "escalate"
"""


def test_failures_pass_through_as_many_groups_as_it_takes() -> None:
    judge = judge_of(DEEP)
    decisions = [fail(judge, "a", float(at)) for at in range(4)]

    assert [("inner",), ("inner", "middle")] * 2 == [d.escalated for d in decisions]
    assert ["inner", "middle"] * 2 == [decision.scope for decision in decisions]
    assert {("a", "b", "c")} == {decision.together for decision in decisions}
    assert all(decision.delay is not None for decision in decisions)


def test_only_so_many_escalations_are_kept_that_a_record_stays_small() -> None:
    judge = judge_of(DEEP.replace('policy = "never-give-up"', "intensity = 99"))
    for at in range(5 * ESCALATIONS):
        fail(judge, "a", at / 1000)

    kept = judge._modules["a"].escalations
    assert ESCALATIONS == len(kept["outer"])
    assert len(kept.get("middle", ())) <= ESCALATIONS


def test_a_healthy_run_ends_a_streak_and_a_short_one_does_not() -> None:
    judge = judge_of(GROUP)
    module = judge._modules["a"]
    streaks = []
    for ready, at in ((None, 0.0), (1.0, 2.0), (3.0, 12.9), (13.0, 23.0)):
        module.up_since = ready
        fail(judge, "a", at)
        streaks.append(module.streak)

    assert [1, 2, 3, 1] == streaks


# -- what is certain ahead --------------------------------------------------------------------------


def certain(text: str, name: str, failures: list[float], now: float) -> float | None:
    """From when on a failure of `name` is forgiven without delay, after these of `a`."""
    judge = judge_of(text)
    for at in failures:
        fail(judge, "a", at)
    module = judge._modules[name]
    module.up_since = now
    return judge.forgives_from(module, now)


def policy_of(keys: str) -> str:
    """A group of a and b with this policy."""
    return f'[group.g]\nmembers = ["a", "b"]\n{keys}'


def test_within_the_intensity_it_is_certain_now() -> None:
    text = policy_of("intensity = 2\nperiod = 10")

    assert [5.0, 5.0] == [certain(text, name, [4.0], 5.0) for name in "ab"]


def test_beyond_the_intensity_it_is_certain_when_enough_failures_count_no_more() -> None:
    text = policy_of("intensity = 2\nperiod = 10")

    assert [11.0, 11.0] == [certain(text, name, [1.0, 4.0], 5.0) for name in "ab"]
    assert certain(policy_of("intensity = 0\nperiod = 10"), "a", [], 5.0) is None


def test_who_is_judged_alone_counts_its_own_failures() -> None:
    assert [8.9, 9.0] == [certain("", name, [3.9], 9.0 - 0.1 * (name == "a")) for name in "ad"]


def test_a_back_off_from_nought_is_nought_again_after_a_healthy_run() -> None:
    text = policy_of("intensity = 5\nbackoff = { initial = 0.0, cap = 5.0 }")

    assert 5.0 == certain(text, "b", [4.0], 5.0)
    assert 15.0 == certain(text, "a", [4.0], 5.0)
    assert certain(policy_of("backoff = { initial = 0.1, cap = 5.0 }"), "a", [], 5.0) is None


@given(
    st.lists(st.floats(0.0, 60.0), max_size=6),
    st.floats(0.0, 100.0),
    st.floats(0.0, 100.0),
    st.sampled_from(["junos", "never-give-up", "systemd", "erlang"]),
)
def test_what_is_certain_comes_about(
    times: list[float], wait: float, later: float, policy: str
) -> None:
    judge = judge_of("")
    module = judge._modules["a"]
    module.program = replace(module.program, policy=POLICIES[policy])
    for at in sorted(times):
        fail(judge, "a", at)
    now = max([*times, 0.0]) + wait
    module.up_since = now
    since = judge.forgives_from(module, now)
    assume(since is not None)
    assert since is not None

    assert 0.0 == fail(judge, "a", since + later + 1e-6).delay

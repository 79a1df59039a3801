"""Who is judged by whose policy, and what counts where."""

from __future__ import annotations

from jsupervisor.jlaunchd.judge import ESCALATIONS, Decision, Judge
from jsupervisor.jlaunchd.module import Module
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

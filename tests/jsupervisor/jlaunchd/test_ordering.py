"""Who waits for whom, from states alone."""

from __future__ import annotations

from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.ordering import Ordering
from jsupervisor.jlaunchd.profile import parse_plan

TEXT = """
[profile]
name = "p"
[program.a]
entry = "m:C"
[program.b]
entry = "m:C"
requires = ["a"]
follows = ["a"]
[program.c]
entry = "m:C"
requires = ["b"]
follows = ["b"]
[program.d]
entry = "m:C"
[program.e]
entry = "m:C"
[group.g]
members = ["d", "e"]
strategy = "one_for_all"
"""


def ordering(**states: State) -> tuple[Ordering, dict[str, Module]]:
    """All modules up, less these."""
    plan = parse_plan(TEXT, "p.toml")
    modules = {p.name: Module(p, states.get(p.name, State.UP)) for p in plan.programs}
    return Ordering(plan.tree(), modules), modules


def test_a_first_start_waits_for_what_is_required() -> None:
    found, modules = ordering(a=State.STARTING, b=State.DOWN)

    assert ("a",) == found.waits_for(modules["b"])


def test_a_restart_after_a_failure_does_not() -> None:
    found, modules = ordering(a=State.STARTING, b=State.BACKOFF)

    assert () == found.waits_for(modules["b"])


def test_a_member_waits_for_the_one_before_unless_that_is_not_wanted_or_given_up() -> None:
    found, modules = ordering(d=State.STARTING, e=State.BACKOFF)

    assert ("d",) == found.waits_for(modules["e"])
    modules["d"].state = State.FAILED
    assert () == found.waits_for(modules["e"])
    modules["d"].state, modules["d"].wanted = State.DOWN, False
    assert () == found.waits_for(modules["e"])


def test_nobody_of_a_group_starts_before_all_are_down() -> None:
    found, modules = ordering(d=State.BACKOFF, e=State.STOPPING)
    modules["e"].replacing = "group:g"

    assert ("e",) == found.waits_for(modules["d"])
    assert () == found.waits_for(modules["a"])


def test_followers_of_followers_follow_last_ones_first() -> None:
    found, _ = ordering()

    assert [("c", "b"), ("b", "a")] == [(m.name, of) for m, of in found.followers(["a"])]
    assert [] == list(found.followers(["d"]))


def test_a_module_goes_down_after_those_that_start_after_it() -> None:
    found, modules = ordering(c=State.DOWN)

    assert [False, True, True, False, True] == [
        found.dependants_down(module) for module in modules.values()
    ]

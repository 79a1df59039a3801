"""When a spare is asked for: only in calm, one at a time, and not again at once when it failed."""

from __future__ import annotations

import pytest

from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Foreign, Program
from jsupervisor.jlaunchd.spares import (
    CALM,
    FIRST_DELAY,
    MOST_DELAY,
    Ask,
    Dismiss,
    Spares,
    can_wait,
)


def module(name: str, state: State = State.UP, *, spare: bool = True) -> Module:
    made = Module(Program(name=name, executable=name, entry="x:Y", spare=spare))
    made.state, made.incarnation = state, 1
    return made


def calm(spares: Spares, modules: list[Module], now: float = 100.0) -> float:
    """Nothing happens until it is calm; the time then."""
    assert [] == spares.look(modules, now)
    assert spares.deadline == now + CALM
    return now + CALM


def test_a_spare_is_asked_for_when_it_has_been_calm_for_a_while() -> None:
    spares, modules = Spares(), [module("rpd"), module("dcd", spare=False)]
    now = calm(spares, modules)

    assert [Ask("rpd", 2)] == spares.look(modules, now)
    assert [] == spares.look(modules, now)
    assert spares.deadline is None


@pytest.mark.parametrize("state", [State.STARTING, State.STOPPING, State.KILLING, State.BACKOFF])
def test_none_is_asked_for_while_another_module_comes_or_goes(state: State) -> None:
    spares, modules = Spares(), [module("rpd"), module("dcd", state, spare=False)]
    spares.look(modules, 100.0)

    assert [] == spares.look(modules, 200.0)


@pytest.mark.parametrize("state", [State.DOWN, State.FAILED])
def test_modules_that_are_down_for_good_do_not_count(state: State) -> None:
    spares, modules = Spares(), [module("rpd"), module("dcd", state)]
    now = calm(spares, modules)

    assert [Ask("rpd", 2)] == spares.look(modules, now)


def test_spares_are_made_one_after_the_other() -> None:
    spares, modules = Spares(), [module("rpd"), module("dcd")]
    now = calm(spares, modules)
    first = spares.look(modules, now)
    spares.note("rpd", 2, "made", now)
    meanwhile = spares.look(modules, now + 1)
    spares.note("rpd", 2, "waiting", now)

    assert [Ask("rpd", 2)] == first
    assert [] == meanwhile
    assert [Ask("dcd", 2)] == spares.look(modules, now + 2)


def test_a_module_that_its_spare_became_has_another_made_when_it_is_calm_again() -> None:
    spares, rpd = Spares(), module("rpd")
    now = calm(spares, [rpd])
    spares.look([rpd], now)
    spares.note("rpd", 2, "waiting", now)
    rpd.state, rpd.incarnation = State.STARTING, 2
    starting = spares.look([rpd], now + 5)
    spares.claimed("rpd", 2)
    rpd.state = State.UP

    assert [] == starting
    assert [] == spares.look([rpd], now + 6)
    assert [Ask("rpd", 3)] == spares.look([rpd], now + 6 + CALM)


def test_a_spare_of_another_incarnation_than_the_next_is_dismissed() -> None:
    spares, rpd = Spares(), module("rpd")
    spares.note("rpd", 2, "waiting", 0.0)
    rpd.incarnation = 2

    assert [Dismiss("rpd")] == spares.look([rpd], 100.0)


def test_a_spare_of_a_module_that_is_stopped_or_has_left_is_dismissed() -> None:
    spares, rpd = Spares(), module("rpd")
    for name in ("rpd", "dcd"):
        spares.note(name, 2, "waiting", 0.0)
    rpd.wanted = False

    assert [Dismiss("rpd"), Dismiss("dcd")] == spares.look([rpd], 100.0)


def test_a_spare_that_fails_is_tried_again_ever_more_slowly() -> None:
    spares, modules = Spares(), [module("rpd")]
    now = calm(spares, modules)
    waits = []
    for _ in range(8):
        assert [Ask("rpd", 2)] == spares.look(modules, now)
        spares.note("rpd", 2, "gone", now)
        assert [] == spares.look(modules, now)
        assert spares.deadline is not None
        waits.append(spares.deadline - now)
        now = spares.deadline

    assert waits[0] == FIRST_DELAY
    assert waits == sorted(waits)
    assert waits[-1] == MOST_DELAY


def test_one_that_came_about_clears_the_failures_before_it() -> None:
    spares, modules = Spares(), [module("rpd")]
    now = calm(spares, modules)
    for state in ("gone", "waiting", "gone"):
        spares.note("rpd", 2, state, now)
    spares.look(modules, now)

    assert spares.deadline == now + FIRST_DELAY


def test_after_a_reload_all_are_made_anew() -> None:
    spares, modules = Spares(), [module("rpd")]
    now = calm(spares, modules)
    spares.note("rpd", 2, "waiting", now)

    assert ["rpd"] == spares.forget_all()
    assert [Ask("rpd", 2)] == spares.look(modules, now)


def test_only_a_fork_can_wait() -> None:
    program = Program(name="rpd", executable="rpd", entry="x:Y")
    others = [
        Program(name="a", executable="a", entry="x:Y", launch="exec"),
        Program(name="b", executable="b", entry="", foreign=Foreign(command=("/bin/true",))),
        Program(name="router", executable="router", entry="monolith"),
    ]

    assert can_wait(program)
    assert not any(can_wait(each) for each in others)

"""What is done to one module, state by state."""

from __future__ import annotations

import signal

import pytest

from jsupervisor.jlaunchd import child as c
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.moves import DUMP_TIME, SIGNALS, Moves
from jsupervisor.jlaunchd.ordering import HOLD, Ordering
from jsupervisor.jlaunchd.output import Output
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.runtime.fsm import UnexpectedEvent

TEXT = """
[profile]
name = "p"
[program.a]
entry = "m:C"
[program.b]
entry = "m:C"
requires = ["a"]
follows = ["a"]
"""


class Desk:
    """a and b in some state, and what is written about them."""

    def __init__(self, state: State, pid: int = 100) -> None:
        plan = parse_plan(TEXT, "p.toml")
        modules = {program.name: Module(program) for program in plan.programs}
        for module in modules.values():
            module.state, module.pid, module.incarnation = state, pid, 1
        self.a, self.b = modules.values()
        self.out = Output()
        self.out.begin(m.Instant(50.0, ""))
        self.moves = Moves(self.out, Ordering(plan.tree(), modules))

    def signals(self) -> list[tuple[str, int, str]]:
        """Those that are to be sent."""
        return [
            (command.name, command.signal, command.ordered)
            for command in self.out.commands
            if isinstance(command, m.SendSignal)
        ]

    def saved(self) -> list[str]:
        """Whose record is to be kept."""
        return [c.name for c in self.out.commands if isinstance(c, m.SaveRecord)]


def test_an_event_without_a_cell_leaves_the_state_alone() -> None:
    desk = Desk(State.DOWN)

    with pytest.raises(UnexpectedEvent):
        desk.moves.apply(desk.a, c.Hung())
    assert State.DOWN is desk.a.state


@pytest.mark.parametrize(("how", "number"), [*SIGNALS.items(), ("soft", signal.SIGTERM)])
def test_it_is_asked_to_leave_in_the_way_that_was_wanted(how: str, number: signal.Signals) -> None:
    desk = Desk(State.STOPPING)
    desk.a.how = how
    desk.moves.ask_to_leave(desk.a)

    assert [("a", number, "requested:stop")] == desk.signals()
    assert 50.0 + desk.a.program.stop_timeout == desk.a.deadline
    assert ["a"] == desk.saved()


def test_who_has_no_process_yet_is_asked_later() -> None:
    desk = Desk(State.STOPPING, pid=0)
    desk.moves.ask_to_leave(desk.a)
    desk.moves.repeat_signal(desk.a)

    assert [] == desk.signals()
    assert ["a"] == desk.saved()


def test_a_signal_that_may_have_been_lost_is_sent_again() -> None:
    killing, stopping = Desk(State.KILLING), Desk(State.STOPPING)
    killing.a.killed_for = "hang"
    for desk in (killing, stopping):
        desk.moves.repeat_signal(desk.a)

    assert [("a", signal.SIGKILL, "hang")] == killing.signals()
    assert [("a", signal.SIGTERM, "requested:stop")] == stopping.signals()


def test_who_hangs_is_written_down_before_it_is_made_to_dump() -> None:
    desk = Desk(State.UP)
    desk.moves.kill(desk.a, "hang")
    kinds = [type(command) for command in desk.out.commands]

    assert [m.Emit, m.SaveRecord, m.SendSignal, m.SendSignal] == kinds
    assert [signal.SIGABRT, signal.SIGCONT] == [number for _, number, _ in desk.signals()]
    assert (State.KILLING, 50.0 + DUMP_TIME) == (desk.a.state, desk.a.deadline)


@pytest.mark.parametrize(
    ("state", "reason", "after"),
    [
        (State.UP, HOLD, State.STOPPING),
        (State.UP, "group:g", State.STOPPING),
        (State.STARTING, "group:g", State.STOPPING),
        (State.STOPPING, HOLD, State.STOPPING),
        (State.DOWN, HOLD, State.FAILED),
        (State.BACKOFF, HOLD, State.FAILED),
        (State.DOWN, "group:g", State.DOWN),
        (State.BACKOFF, "group:g", State.BACKOFF),
        (State.KILLING, HOLD, State.KILLING),
        (State.FAILED, HOLD, State.FAILED),
    ],
)
def test_who_goes_down_because_of_another(state: State, reason: str, after: State) -> None:
    desk = Desk(state)
    desk.moves.take_down(desk.a, reason)
    changed = state in (State.UP, State.STARTING, State.STOPPING) or state is not after

    assert after is desk.a.state
    assert (["a"] if changed else []) == desk.saved()
    assert (state in (State.UP, State.STARTING)) == bool(desk.signals())


def test_who_follows_goes_down_too_unless_it_is_not_wanted() -> None:
    wanted, unwanted = Desk(State.UP), Desk(State.UP)
    unwanted.b.wanted = False
    for desk in (wanted, unwanted):
        desk.moves.take_followers_down(("a",))

    assert ["requested:follow:a"] == [ordered for _, _, ordered in wanted.signals()]
    assert [] == unwanted.signals()


def test_a_succession_is_noted_and_nothing_is_launched() -> None:
    desk = Desk(State.UP)
    desk.moves.succeed(desk.a, 2)

    assert (State.STARTING, 2, 0, 1) == (
        desk.a.state,
        desk.a.incarnation,
        desk.a.pid,
        desk.a.restarts,
    )
    assert ["a"] == desk.saved() == [command.name for command in desk.out.commands]  # type: ignore[union-attr]

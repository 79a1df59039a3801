"""The law of warm spares: each is used once, for exactly what it was made for, or ended."""

from __future__ import annotations

import pytest

from jsupervisor.init.spares import LATEST_NS, LOOK_NS, MAKING_NS, Spares
from jsupervisor.init.table import Refused, Table
from jsupervisor.initproto import Message

PID = 700
ORDER: Message = {"name": "rpd", "incarnation": 2, "entry": "x:Rpd"}


class Done:
    """Effects that are noted as short lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.launcher = True
        self.still = False

    def end(self, pid: int) -> None:
        self.lines.append(f"end {pid}")

    def call(self, pid: int, message: Message) -> None:
        self.lines.append(f"{message['op']} {pid}")

    def fork(self, stage: str, order: Message) -> bool:
        if self.launcher:
            self.lines.append(f"fork {stage}{' spare' if order.get('spare') else ''}")
        return self.launcher

    def tell(self, message: Message) -> None:
        self.lines.append(f"{message['name']} {message['incarnation']} {message['state']}")

    def stopped(self, pid: int) -> bool:
        return self.still

    def taken(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines


class Rig:
    """A table with rpd as incarnation 1, and the spares beside it."""

    def __init__(self) -> None:
        self.done = Done()
        self.spares = Spares(self.done)
        self.table = Table()
        self.table.reserve("rpd", 1, "full", {**ORDER, "incarnation": 1}, 0)
        self.table.claim("rpd", 1, 500, 0)

    def waiting(self) -> Rig:
        """A spare of rpd is there."""
        self.spares.ask("rpd", 2, "full", ORDER, 0)
        self.spares.announce("rpd", 2, PID)
        self.spares.waiting(PID)
        self.done.taken()
        return self

    def start(self, order: Message | None = None, now: int = 0) -> bool:
        """rpd dies, and incarnation 2 is reserved."""
        self.table.exited(500)
        process = self.table.reserve("rpd", 2, "full", order or {**ORDER, "phases": {"a": 1}}, now)
        return self.spares.take(process, now)

    def look(self, now: int) -> list[str]:
        self.spares.look(now, self.table.processes)
        return self.done.taken()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_spare_is_asked_of_the_launcher_and_jlaunchd_hears_where_it_stands(rig: Rig) -> None:
    rig.spares.ask("rpd", 2, "full", ORDER, 0)
    asked = rig.done.taken()
    rig.spares.announce("rpd", 2, PID)
    rig.spares.waiting(PID)

    assert ["fork full spare", "rpd 2 made"] == asked
    assert ["rpd 2 waiting"] == rig.done.taken()
    assert rig.spares.pids == {PID}
    assert rig.spares.deadline_ns is None


def test_there_is_one_spare_of_a_module_at_most(rig: Rig) -> None:
    rig.waiting()
    with pytest.raises(Refused, match="rpd has a spare"):
        rig.spares.ask("rpd", 2, "full", ORDER, 0)
    with pytest.raises(Refused, match="nobody waits for a spare"):
        rig.spares.announce("rpd", 2, PID + 1)


def test_without_a_launcher_there_is_no_spare(rig: Rig) -> None:
    rig.done.launcher = False
    with pytest.raises(Refused, match="no launcher"):
        rig.spares.ask("rpd", 2, "full", ORDER, 0)

    assert [] == rig.spares.describe()


def test_a_spare_that_was_called_may_claim_and_is_none_any_more(rig: Rig) -> None:
    rig.waiting()
    with pytest.raises(Refused, match="was not called"):
        rig.spares.require_called(PID)
    taken = rig.start()
    rig.spares.require_called(PID)
    rig.spares.claimed(PID)

    assert taken
    assert [f"become {PID}"] == rig.done.taken()
    assert set() == rig.spares.pids
    assert [] == rig.look(10 * MAKING_NS)


def test_without_a_spare_a_launcher_forks(rig: Rig) -> None:
    assert not rig.start()


@pytest.mark.parametrize("order", [{**ORDER, "entry": "y:Rpd"}, {**ORDER, "options": {}}])
def test_a_spare_that_was_made_to_another_order_is_ended(rig: Rig, order: Message) -> None:
    rig.waiting()

    assert not rig.start(order)
    assert [f"end {PID}", "rpd 2 gone"] == rig.done.taken()
    assert {PID} == rig.spares.pids
    rig.spares.exited(PID, rig.table.processes)
    assert set() == rig.spares.pids
    assert [] == rig.done.taken()


def test_a_spare_that_is_not_ready_yet_is_ended(rig: Rig) -> None:
    rig.spares.ask("rpd", 2, "full", ORDER, 0)
    rig.spares.announce("rpd", 2, PID)
    rig.done.taken()

    assert not rig.start()
    assert [f"end {PID}", "rpd 2 gone"] == rig.done.taken()


def test_a_spare_that_has_not_come_yet_is_turned_away_later(rig: Rig) -> None:
    rig.spares.ask("rpd", 2, "full", ORDER, 0)
    taken = rig.start()
    with pytest.raises(Refused):
        rig.spares.announce("rpd", 2, PID)

    assert not taken


def test_a_called_spare_that_is_stopped_is_replaced_by_a_launcher_at_the_first_look(
    rig: Rig,
) -> None:
    rig.waiting().start(now=5)
    rig.done.taken()
    rig.done.still = True

    assert [] == rig.look(4 + LOOK_NS)
    assert [f"end {PID}", "rpd 2 gone", "fork full"] == rig.look(5 + LOOK_NS)
    with pytest.raises(Refused):
        rig.spares.require_called(PID)


def test_a_called_spare_that_runs_has_more_time_but_not_for_ever(rig: Rig) -> None:
    rig.waiting().start(now=0)
    rig.done.taken()

    assert [] == rig.look(LOOK_NS)
    assert 2 * LOOK_NS == rig.spares.deadline_ns
    assert [f"end {PID}", "rpd 2 gone", "fork full"] == rig.look(LATEST_NS)


def test_a_called_spare_that_dies_is_replaced_by_a_launcher_at_once(rig: Rig) -> None:
    rig.waiting().start()
    rig.done.taken()
    rig.spares.exited(PID, rig.table.processes)

    assert ["rpd 2 gone", "fork full"] == rig.done.taken()


def test_a_waiting_spare_that_dies_is_told_and_nothing_else(rig: Rig) -> None:
    rig.waiting()
    rig.spares.exited(PID, rig.table.processes)
    rig.spares.exited(PID, rig.table.processes)

    assert ["rpd 2 gone"] == rig.done.taken()


def test_a_spare_that_never_comes_about_is_given_up(rig: Rig) -> None:
    rig.spares.ask("rpd", 2, "full", ORDER, 0)
    rig.done.taken()

    assert MAKING_NS == rig.spares.deadline_ns
    assert ["rpd 2 gone"] == rig.look(MAKING_NS)


def test_a_new_launcher_ends_its_predecessors_spares_unless_they_are_under_way(rig: Rig) -> None:
    rig.waiting()
    rig.spares.release("lean")
    kept = rig.done.taken()
    rig.spares.release("full")
    ended = rig.done.taken()
    rig.waiting().start()
    rig.done.taken()
    rig.spares.release("full")

    assert [] == kept
    assert [f"end {PID}", "rpd 2 gone"] == ended
    assert [] == rig.done.taken()


def test_a_new_jlaunchd_hears_of_all_spares_and_a_stop_ends_them(rig: Rig) -> None:
    rig.waiting()
    rig.spares.welcome()
    rig.spares.dismiss_all()

    assert ["rpd 2 waiting", f"end {PID}", "rpd 2 gone"] == rig.done.taken()

"""Warm spares: the next incarnation of a module, made ahead, which waits just before its claim.

A spare is our child, held to its module's role like the module itself, and has done all that can be
done without being it. On a start it is called in the launcher's place and claims as anybody would, so
the table's law holds: if it is dead, stopped or too slow it is ended, a launcher is told, and whoever
claims second exits. A spare that is not exactly what the start orders is of no use and ended, and so is
one of an earlier launcher's. No I/O and no clock here: times come in, and `Effects` are carried out by
whoever owns this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from jsupervisor.init.table import Process, Refused
from jsupervisor.initproto import Json, Message
from jsupervisor.phases import KEY

MAKING_NS: Final = 10_000_000_000
"""A spare that does not wait after so long is not going to."""
LOOK_NS: Final = 20_000_000
"""How long one that was called has before it is looked at."""
LATEST_NS: Final = 250_000_000
"""How long it may take to claim while it runs: a launcher would be slower on a busy machine."""
SPARE: Final = "spare"
"""The mark of an order for one."""


class State(Enum):
    """Where a spare stands; the value is what jlaunchd and an operator are told."""

    MADE = "made"
    WAITING = "waiting"
    CALLED = "called"


@dataclass(slots=True)
class Spare:
    """One of them."""

    name: str
    incarnation: int
    stage: str
    order: Message
    deadline_ns: int | None
    state: State = State.MADE
    pid: int = 0
    latest_ns: int = 0

    def describe(self) -> Message:
        """What jlaunchd and an operator are told."""
        return {
            "name": self.name,
            "incarnation": self.incarnation,
            "state": self.state.value,
            "pid": self.pid or None,
        }


class Effects(Protocol):
    """What is done to processes."""

    def end(self, pid: int) -> None:
        """SIGKILL a child that has not been reaped."""

    def call(self, pid: int, message: Message) -> None:
        """Send to the spare's connection."""

    def fork(self, stage: str, order: Message) -> bool:
        """Have a launcher fork; False when there is none."""

    def tell(self, message: Message) -> None:
        """Send to jlaunchd, if there is one."""

    def stopped(self, pid: int) -> bool:
        """Is it stopped (SIGSTOP), so that waiting is no use?"""


class Spares:
    """All spares by the name of their module."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._spares: dict[str, Spare] = {}
        self._dying: set[int] = set()

    # -- making one ---------------------------------------------------------------------------

    def ask(self, name: str, incarnation: int, stage: str, order: Message, now: int) -> None:
        """Have one made; raises Refused when there is one, or nobody to make it."""
        if name in self._spares:
            raise Refused(f"{name} has a spare")
        if not self._effects.fork(stage, {**order, SPARE: True}):
            raise Refused(f"no launcher can make a spare of {name}")
        spare = Spare(name, incarnation, stage, _comparable(order), now + MAKING_NS)
        self._spares[name] = spare
        self._tell(spare)

    def announce(self, name: str, incarnation: int, pid: int) -> None:
        """A newborn is the spare that was asked for; raises Refused."""
        spare = self._spares.get(name)
        if spare is None or spare.incarnation != incarnation or spare.pid:
            raise Refused(f"nobody waits for a spare of {name} incarnation {incarnation}")
        spare.pid = pid

    def waiting(self, pid: int) -> None:
        """It has done what it can do ahead; raises Refused."""
        spare = self.of(pid)
        spare.state, spare.deadline_ns = State.WAITING, None
        self._tell(spare)

    # -- using it -----------------------------------------------------------------------------

    def take(self, process: Process, now: int) -> bool:
        """Call the spare for a reservation; False when a launcher is to fork instead."""
        spare = self._spares.get(process.name)
        if spare is None:
            return False
        same = _comparable(process.order) == spare.order
        if spare.state is not State.WAITING or not same:
            self.dismiss(spare.name, "not ready" if same else "it was made to another order")
            return False
        spare.state = State.CALLED
        spare.deadline_ns, spare.latest_ns = now + LOOK_NS, now + LATEST_NS
        self._effects.call(spare.pid, {"op": "become", KEY: process.order.get(KEY)})
        return True

    def require_called(self, pid: int) -> None:
        """Raise Refused unless this spare may claim."""
        if (spare := self.of(pid)).state is not State.CALLED:
            raise Refused(f"the spare of {spare.name} was not called")

    def claimed(self, pid: int) -> None:
        """It is the module now, and no spare any more."""
        del self._spares[self.of(pid).name]

    # -- losing it ----------------------------------------------------------------------------

    def exited(self, pid: int, processes: Mapping[str, Process]) -> None:
        """A child is gone: if it was called, a launcher does what it cannot do any more."""
        self._dying.discard(pid)
        try:
            spare = self.of(pid)
        except Refused:
            return
        self._forget(spare, "it ended")
        if spare.state is State.CALLED:
            self._fork_instead(spare, processes)

    def look(self, now: int, processes: Mapping[str, Process]) -> None:
        """End those that are too late."""
        for spare in list(self._spares.values()):
            if spare.deadline_ns is None or spare.deadline_ns > now:
                continue
            if spare.state is State.MADE:
                self.dismiss(spare.name, "it did not come about")
            elif now >= spare.latest_ns or self._effects.stopped(spare.pid):
                self.dismiss(spare.name, "it did not come when it was called")
                self._fork_instead(spare, processes)
            else:
                spare.deadline_ns = now + LOOK_NS

    def release(self, stage: str) -> None:
        """There is a new launcher: what its predecessor made is of another release, perhaps."""
        for spare in list(self._spares.values()):
            if spare.stage == stage and spare.state is not State.CALLED:
                self.dismiss(spare.name, "its launcher is gone")

    def dismiss(self, name: str, why: str) -> None:
        """End a spare; nothing happens when there is none."""
        spare = self._spares.get(name)
        if spare is None:
            return
        if spare.pid:
            self._dying.add(spare.pid)
            self._effects.end(spare.pid)
        self._forget(spare, why)

    def dismiss_all(self) -> None:
        """The instance stops."""
        for name in list(self._spares):
            self.dismiss(name, "the instance stops")

    # -- what is known ------------------------------------------------------------------------

    def of(self, pid: int) -> Spare:
        """The spare that is `pid`; raises Refused."""
        for spare in self._spares.values():
            if spare.pid == pid:
                return spare
        raise Refused(f"pid {pid} is no spare")

    @property
    def pids(self) -> set[int]:
        """Children of ours that are spares, or were and are not reaped yet."""
        return self._dying | {spare.pid for spare in self._spares.values() if spare.pid}

    @property
    def deadline_ns(self) -> int | None:
        """When to look again."""
        times = [each.deadline_ns for each in self._spares.values() if each.deadline_ns is not None]
        return min(times, default=None)

    def describe(self) -> list[Json]:
        """All of them, for `status`."""
        return [spare.describe() for spare in self._spares.values()]

    def welcome(self) -> None:
        """Tell a new jlaunchd what there is."""
        for spare in self._spares.values():
            self._tell(spare)

    def _tell(self, spare: Spare) -> None:
        self._effects.tell({"op": "spare", **spare.describe()})

    def _forget(self, spare: Spare, why: str) -> None:
        del self._spares[spare.name]
        self._effects.tell({"op": "spare", **spare.describe(), "state": "gone", "why": why})

    def _fork_instead(self, spare: Spare, processes: Mapping[str, Process]) -> None:
        """If no launcher is there now, the next one is offered the reservation."""
        process = processes.get(spare.name)
        if process is not None and process.incarnation == spare.incarnation:
            self._effects.fork(process.stage, process.order)


def _comparable(order: Mapping[str, Json]) -> Message:
    return {key: value for key, value in order.items() if key not in (KEY, SPARE)}

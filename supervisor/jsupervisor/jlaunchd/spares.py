"""When a warm spare is asked for, and when one is sent away. Pure: `look` is told the time.

A spare is the module's next incarnation, made ahead, which init keeps (`jsupervisor.init.spares`). Making
one takes a launcher and a processor for a moment, so it is asked for only while nothing else happens:
every module that is wanted is up, nobody has died or started for CALM seconds, and one at a time. One
that does not come about, or ends by itself, is tried again after a doubling delay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Program

CALM: Final = 0.25
FIRST_DELAY: Final = 1.0
MOST_DELAY: Final = 60.0

_MADE: Final = "made"
_GONE: Final = "gone"
_SETTLED: Final = frozenset((State.UP, State.DOWN, State.FAILED))


@dataclass(frozen=True, slots=True)
class Ask:
    """Have a spare made, for the next incarnation."""

    name: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Have a spare ended."""

    name: str


@dataclass(slots=True)
class _Known:
    incarnation: int
    state: str
    """As init's notice has it."""


class Spares:
    """What is known of all spares, by the name of their module."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._delays: dict[str, float] = {}
        self._not_before: dict[str, float] = {}
        self._calm_from = 0.0
        self._last: dict[str, tuple[State, int]] = {}
        self.deadline: float | None = None
        """When to look again, if nothing happens before."""

    def note(self, name: str, incarnation: int, state: str, now: float) -> None:
        """init has told of a spare: made, waiting, called or gone."""
        if state != _GONE:
            self._known[name] = _Known(incarnation, state)
            if state != _MADE:
                self._delays.pop(name, None)
            return
        self._known.pop(name, None)
        delay = self._delays.get(name, FIRST_DELAY)
        self._delays[name] = min(MOST_DELAY, delay * 2)
        self._not_before[name] = now + delay

    def claimed(self, name: str, incarnation: int) -> None:
        """A module has begun: if it was its spare that has, there is none any more."""
        known = self._known.get(name)
        if known is not None and known.incarnation <= incarnation:
            del self._known[name]

    def forget_all(self) -> list[str]:
        """Whose spares there were: they are to be dismissed."""
        names = list(self._known)
        self._known.clear()
        return names

    def look(self, modules: Iterable[Module], now: float) -> list[Ask | Dismiss]:
        """What is to be done now."""
        modules = list(modules)
        self.deadline = None
        self._follow(modules, now)
        wishes = {each.name: each.incarnation + 1 for each in modules if _wants(each)}
        unwanted = [
            name
            for name, known in self._known.items()
            if wishes.get(name) != known.incarnation and not _under_way(name, modules)
        ]
        for name in unwanted:
            del self._known[name]
        return [*map(Dismiss, unwanted), *self._ask(wishes, modules, now)]

    def _follow(self, modules: list[Module], now: float) -> None:
        """Notice every change of a state: from then on it has to be calm again."""
        states = {each.name: (each.state, each.incarnation) for each in modules}
        if states != self._last:
            self._last, self._calm_from = states, now + CALM

    def _ask(self, wishes: dict[str, int], modules: list[Module], now: float) -> list[Ask]:
        missing = [name for name in wishes if name not in self._known]
        if not missing or any(each.state not in _SETTLED for each in modules):
            return []
        if any(known.state == _MADE for known in self._known.values()):
            return []
        due = {name: max(self._calm_from, self._not_before.get(name, 0.0)) for name in missing}
        name = min(missing, key=lambda each: due[each])
        if due[name] > now:
            self.deadline = due[name]
            return []
        self._known[name] = _Known(wishes[name], _MADE)
        return [Ask(name, wishes[name])]


def can_wait(program: Program) -> bool:
    """Can a process of this program be made ahead? Only a fork of a launcher's can."""
    return program.foreign is None and program.launch == "fork" and program.entry != "monolith"


def _wants(module: Module) -> bool:
    program = module.program
    return program.spare and can_wait(program) and module.wanted and module.state is State.UP


def _under_way(name: str, modules: list[Module]) -> bool:
    """Is it between two lives, and its spare may be what comes next?"""
    return any(
        each.name == name and each.wanted and each.program.spare and each.state is not State.UP
        for each in modules
    )

"""Tells init what `status` says of each module, whenever that has changed.

Init answers for us: an operator asks it also while there is no supervisor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.rules import describe
from jsupervisor.paths import PLAIN, socket_path
from jsupervisor.runtime.names import daemon_name

MOST: Final = 64
"""Modules in one message: it has a limit."""


def speaker(plan: Plan, module: Module) -> str | None:
    """Whose gRPC sockets speak for the module: its own, a part's, or nobody's (an engine)."""
    if module.program.entry == "monolith":
        return next(part.name for part in plan.parts if part.stage == "full")
    return module.name if module.program.stage == "full" else None


class Publisher:
    """Remembers what was told last, by name: `published`."""

    def __init__(self, core: Supervisor, run_dir: str, send: Callable[[Message], None]) -> None:
        self.published: dict[str, Message] = {}
        self._core = core
        self._run_dir = run_dir
        self._send = send

    def everything(self, plan: Plan, now: float) -> None:
        """All modules, as far as they have changed; `now` in seconds."""
        self._publish(plan, self._core.modules.values(), now)

    def after(self, event: m.Event, commands: Iterable[m.Command], plan: Plan, now: float) -> None:
        """The modules whose status may be different after an event and what followed from it.

        While modules are adopted it is what the predecessor has said; `everything` ends that.
        """
        if self._core.running:
            self._publish(plan, self._concerned(event, commands), now)

    def forget(self, name: str) -> None:
        """It is no module any more."""
        self.published.pop(name, None)

    def _concerned(self, event: m.Event, commands: Iterable[m.Command]) -> Iterable[Module]:
        modules = self._core.modules
        named = {getattr(item, "name", None) for item in (event, *commands)}
        if named == {None}:
            return list(modules.values())
        waiting = (State.DOWN, State.BACKOFF)
        return [x for x in modules.values() if x.name in named or x.state in waiting]

    def _publish(self, plan: Plan, modules: Iterable[Module], now: float) -> None:
        changed = []
        for module in modules:
            published = self._message(plan, module, now)
            if self.published.get(module.name) != published:
                self.published[module.name] = published
                changed.append(published)
        for first in range(0, len(changed), MOST):
            self._send({"op": "publish", "modules": changed[first : first + MOST]})

    def _message(self, plan: Plan, module: Module, now: float) -> Message:
        program = module.program
        names = daemon_name(program.executable)
        above = self._core.judge.tree.parent(module.name)
        speaks = speaker(plan, module)
        return {
            "name": program.name,
            "executable": program.executable,
            "cli_name": names.cli_name,
            "display_name": names.display_name,
            "pid": module.pid or None,
            "incarnation": module.incarnation,
            "state": module.state.shown,
            "socket": None if speaks is None else socket_path(self._run_dir, speaks, PLAIN),
            "ready_at": module.ready_at or None,
            "restarts": module.restarts,
            "last_cause": module.last_cause or None,
            "policy": describe(program.policy),
            "group": None if above is None else above.name,
            "failures": self._core.judge.counting(module, now),
            "waits_for": list(self._waits_for(module)),
        }

    def _waits_for(self, module: Module) -> tuple[str, ...]:
        waiting = module.wanted and module.state in (State.DOWN, State.BACKOFF)
        return self._core.ordering.waits_for(module) if waiting and self._core.running else ()

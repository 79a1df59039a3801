"""What the supervisor does to one module, and to those that go down with it: the core's hand.

Each move changes the module's state by the table of `child`, and writes down what is to be done.
"""

from __future__ import annotations

import signal
from typing import Final

from jsupervisor.jlaunchd import child as c
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import TRANSITIONS, State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.ordering import FOLLOW, HOLD, Ordering
from jsupervisor.jlaunchd.output import Output
from jsupervisor.runtime.fsm import next_state

DUMP_TIME: Final = 0.1
"""Seconds that a hung module is given to write its stacks before it is killed."""

SIGNALS: Final = {
    m.How.GRACEFULLY.value: signal.SIGTERM,
    m.How.IMMEDIATELY.value: signal.SIGKILL,
    m.How.ABORT.value: signal.SIGABRT,
}
"""How a module is made to leave when it is to be replaced."""


class Moves:
    """Writes to `out`; `ordering` says who follows whom."""

    def __init__(self, out: Output, ordering: Ordering) -> None:
        self._out = out
        self._ordering = ordering

    def apply(self, module: Module, event: c.Event) -> State:
        """Its state after the event."""
        module.state = next_state(module.name, TRANSITIONS, module.state, event)
        return module.state

    def ask_to_leave(self, module: Module) -> None:
        """Once there is a process: before, it is told when it claims its name."""
        module.deadline = self._out.now.monotonic + module.program.stop_timeout
        self._out.save(module)
        if not module.pid:
            return
        ordered = f"requested:{module.replacing or 'stop'}"
        number = SIGNALS.get(module.how, signal.SIGTERM)
        if number is signal.SIGTERM:
            text = f"{module.cli_name} (PID {module.pid}) terminate signal sent"
            self._out.log("info", "JLAUNCHD_TERMINATE", text)
        self._out.signal(module, number, ordered)

    def repeat_signal(self, module: Module) -> None:
        """What was decided was written down first: it may not have been carried out any more."""
        if not module.pid:
            return
        if module.state is State.KILLING:
            self._out.signal(module, signal.SIGKILL, module.killed_for)
        else:
            self.ask_to_leave(module)

    def kill(self, module: Module, why: str) -> None:
        """Have it write its stacks, also if it is stopped, and then die."""
        self._out.emit(module, "hang", cause=why, next="kill")
        self.apply(module, c.Hung())
        module.killed_for, module.deadline = why, self._out.now.monotonic + DUMP_TIME
        self._out.save(module)
        self._out.signal(module, signal.SIGABRT, why)
        self._out.signal(module, signal.SIGCONT, why)

    def take_down(self, module: Module, reason: str) -> None:
        """It goes down because of another one; `reason` says what comes after."""
        match module.state:
            case State.STARTING | State.UP:
                module.replacing = reason
                self.apply(module, c.Restart())
                self.ask_to_leave(module)
            case State.STOPPING if module.wanted:
                module.replacing = reason
                self._out.save(module)
            case State.DOWN | State.BACKOFF if reason == HOLD and module.wanted:
                self.apply(module, c.Condemned())
                module.deadline = None
                self._out.save(module)
            case _:
                pass

    def take_followers_down(self, names: tuple[str, ...]) -> None:
        """Whoever restarts because these do."""
        for follower, followed in self._ordering.followers(names):
            if follower.wanted:
                self.take_down(follower, FOLLOW + followed)

    def succeed(self, module: Module, successor: int) -> None:
        """It has failed, and init has started the next incarnation by a standing order."""
        self.apply(module, c.Forgiven(0.0))
        self.apply(module, c.BackoffOver())
        self._out.launched(module, successor)

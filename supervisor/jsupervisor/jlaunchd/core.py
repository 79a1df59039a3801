"""All modules together: dependency order, restarts, adoption. Pure: events in, commands out.

A module is started for the first time when everything it requires is ready, and stopped after
everything that requires it. A failed module is started again at once, whatever the state of the
others: feeds bring it up to date.

After a death of jlaunchd the next one is told what init knows (`Adopt`), then the exits that nobody
acknowledged, then `StartAll`. A record says which exit it has counted already, so none counts twice.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from jsupervisor.jlaunchd import child as c
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import TRANSITIONS, State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Plan, Program
from jsupervisor.jlaunchd.policy import judge
from jsupervisor.runtime.fsm import next_state


class Supervisor:
    """The core. `handle` applies one event; `deadline` is when it wants to be woken, in seconds."""

    def __init__(self, plan: Plan, draw: Callable[[], float] = lambda: 0.0) -> None:
        self.modules = {program.name: Module(program) for program in plan.programs}
        self.stopping = False
        self.running = False
        self._draw = draw
        self._commands: list[m.Command] = []
        self._now = m.Instant(0.0, "")

    @property
    def deadline(self) -> float | None:
        """The earliest moment at which something is due; nothing is before everything is adopted."""
        if not self.running:
            return None
        return min(
            (x.deadline for x in self.modules.values() if x.deadline is not None), default=None
        )

    def handle(self, event: m.Event, now: m.Instant) -> list[m.Command]:
        """Apply one event; the commands to carry out, in order. Unknown modules raise KeyError."""
        self._now, self._commands = now, []
        match event:
            case m.Adopt():
                self._adopt(event)
            case m.StartAll():
                self._start_all()
            case m.Claimed():
                self._claimed(event)
            case m.Reported():
                self._reported(event)
            case m.Exited() | m.Expired():
                self._exited(event)
            case m.HeartbeatLost():
                self._hung(self.modules[event.name], event.incarnation)
            case m.StartRequested():
                self._start_requested(self.modules[event.name])
            case m.StopRequested():
                self._stop_requested(self.modules[event.name])
            case m.RestartRequested():
                self._restart_requested(self.modules[event.name], event.how)
            case m.StopAll():
                self.stopping = True
                for module in self.modules.values():
                    module.wanted = False
            case m.DeadlineReached() if self.running:
                self._deadlines()
            case m.DeadlineReached():
                pass  # a record's back-off is over, but its module's exit may be among the notices
        self._advance()
        return self._commands

    # -- adoption ---------------------------------------------------------------------------------

    def _adopt(self, event: m.Adopt) -> None:
        module = self.modules.get(event.name)
        if module is None:
            return
        if event.aside:
            self._log("warning", "JLAUNCHD_RECORD_ASIDE", f"{module.cli_name}: record set aside")
        if event.record is not None:
            module.restore(event.record)
        module.incarnation, module.pid = event.incarnation, event.pid
        if event.phase == "gone":
            module.adopted_gone = True
            return
        self._emit(module, "adopt")
        match module.state:
            case State.STOPPING | State.KILLING:
                self._repeat_signal(module)
            case State.UP if event.ready:
                pass
            case _ if event.ready:
                module.state = State.UP
                self._became_ready(module, event.ready_at)
            case State.STARTING:
                pass
            case _:
                module.state = State.STARTING
                module.deadline = self._now.monotonic + module.program.start_timeout
        if event.aside:
            self._save(module)

    def _repeat_signal(self, module: Module) -> None:
        """What was decided was written down first: it may not have been carried out any more."""
        if not module.pid:
            return
        if module.state is State.KILLING:
            self._signal(module, signal.SIGKILL, module.killed_for)
        else:
            self._ask_to_leave(module)

    def _start_all(self) -> None:
        self.running = True
        for module in self.modules.values():
            if module.adopted_gone and module.state not in (
                State.DOWN,
                State.BACKOFF,
                State.FAILED,
            ):
                # Its exit was counted, but what followed from it was not carried out any more.
                module.state, module.deadline = State.DOWN, None
                module.replacing = module.killed_for = ""
            module.adopted_gone = False
            if module.state is State.FAILED:
                self._raise_alarm(module)

    # -- what modules do --------------------------------------------------------------------------

    def _claimed(self, event: m.Claimed) -> None:
        module = self.modules[event.name]
        if event.incarnation != module.incarnation:
            return
        module.pid = event.pid
        self._emit(module, "start", attempt=len(module.failures) + 1)
        self._log("info", "JLAUNCHD_STARTED", f"{module.cli_name} (PID {module.pid}) started")
        if module.state is State.STOPPING:
            # It was asked to leave before there was a process to tell.
            self._ask_to_leave(module)
        elif module.state is State.STARTING:
            module.deadline = self._now.monotonic + module.program.start_timeout

    def _reported(self, event: m.Reported) -> None:
        module = self.modules[event.name]
        if event.incarnation != module.incarnation:
            return
        expected = module.state in (State.STARTING, State.STOPPING, State.KILLING)
        if event.stage == "ready" and expected and self._apply(module, c.Ready()) is State.UP:
            self._became_ready(module, event.at)
        else:
            self._emit(module, event.stage, at=event.at)

    def _became_ready(self, module: Module, at: float | None) -> None:
        downtime = None
        if module.down_since is not None and at is not None:
            downtime = (at - module.down_since) * 1e3
        module.ready_at, module.deadline, module.down_since = self._now.utc, None, None
        self._emit(module, "ready", at=at, downtime_ms=downtime)
        self._commands.append(m.ClearAlarm(module.name))
        self._save(module)

    def _exited(self, event: m.Exited | m.Expired) -> None:
        module = self.modules.get(event.name)
        if (
            module is None
            or event.notice <= module.counted
            or event.incarnation != module.incarnation
        ):
            return
        module.counted, module.adopted_gone = event.notice, False
        if module.state in (State.DOWN, State.BACKOFF, State.FAILED):
            return
        cause = event.cause if isinstance(event, m.Exited) else "unclaimed"
        at = event.at if isinstance(event, m.Exited) else self._now.monotonic
        if module.down_since is None:
            module.down_since = at
        self._log_exit(module, cause)
        killed_for = module.killed_for
        module.pid, module.deadline, module.killed_for = 0, None, ""
        if module.state is State.STOPPING:
            self._left_as_asked(module, at)
        elif not module.wanted or (self._may_leave(module.program, cause) and not killed_for):
            module.last_cause, module.wanted = killed_for or cause, False
            self._emit(module, "exit", cause=module.last_cause, at=at)
            self._apply(module, c.Ended())
            self._save(module)
        else:
            self._failed(module, killed_for or cause, at)

    def _left_as_asked(self, module: Module, at: float) -> None:
        module.last_cause = f"requested:{module.replacing or 'stop'}"
        self._emit(module, "exit", cause=module.last_cause, at=at)
        if module.replacing and not self.stopping:
            module.replacing = ""
            self._apply(module, c.Replaced())
            self._launch(module)
            return
        module.replacing = ""
        self._apply(module, c.Ended())
        self._save(module)

    def _failed(self, module: Module, cause: str, at: float) -> None:
        streak = len(module.failures) + 1
        verdict = judge(module.program.policy, module.failures, at, streak, self._draw())
        module.failures, module.last_cause = verdict.failures, cause
        attempt = len(verdict.failures)
        if not verdict.restart:
            self._emit(module, "exit", cause=cause, at=at, attempt=attempt, next="hold")
            self._apply(module, c.Condemned())
            self._save(module)
            text = module.thrashing
            self._emit(module, "thrash", cause=cause, attempt=attempt, next="hold")
            self._log("error", "JLAUNCHD_THRASHING", text)
            self._raise_alarm(module)
            return
        following = f"restart in {verdict.delay * 1e3:.0f} ms"
        self._emit(module, "exit", cause=cause, at=at, attempt=attempt, next=following)
        self._apply(module, c.Forgiven(verdict.delay))
        module.deadline = self._now.monotonic + verdict.delay
        if verdict.delay == 0:
            self._backoff_over(module)
        else:
            self._save(module)

    def _raise_alarm(self, module: Module) -> None:
        self._commands.append(m.RaiseAlarm(module.name, module.thrashing))

    def _backoff_over(self, module: Module) -> None:
        self._apply(module, c.BackoffOver())
        self._launch(module)

    def _hung(self, module: Module, incarnation: int) -> None:
        if incarnation == module.incarnation and module.state in (State.STARTING, State.UP):
            self._kill(module, "hang")

    def _kill(self, module: Module, why: str) -> None:
        self._emit(module, "hang", cause=why, next="kill")
        self._apply(module, c.Hung())
        module.killed_for, module.deadline = why, None
        self._save(module)
        self._signal(module, signal.SIGKILL, why)

    # -- what operators ask -----------------------------------------------------------------------

    def _start_requested(self, module: Module) -> None:
        if self.stopping:
            return
        module.wanted = True
        if module.state in (State.BACKOFF, State.FAILED):
            module.failures = ()
            self._apply(module, c.Start())
            self._launch(module)
        else:
            self._save(module)

    def _stop_requested(self, module: Module) -> None:
        module.wanted, module.replacing = False, ""
        self._save(module)

    def _restart_requested(self, module: Module, how: m.How) -> None:
        if self.stopping:
            return
        module.wanted = True
        if module.state in (State.DOWN, State.BACKOFF, State.FAILED):
            self._start_requested(module)
            return
        self._emit(module, "restart", cause=f"requested:{how.value}")
        if how is m.How.SOFT:
            module.last_cause = "requested:soft"
            self._save(module)
            if module.state is State.UP:  # one that is starting reads everything anyway
                self._signal(module, signal.SIGHUP, "")
            return
        module.replacing = how.value
        self._apply(module, c.Restart())
        self._ask_to_leave(module)

    def _ask_to_leave(self, module: Module) -> None:
        """Once there is a process: before, it is told when it claims its name."""
        module.deadline = self._now.monotonic + module.program.stop_timeout
        self._save(module)
        if not module.pid:
            return
        ordered = f"requested:{module.replacing or 'stop'}"
        if module.replacing == m.How.IMMEDIATELY.value:
            self._signal(module, signal.SIGKILL, ordered)
            return
        text = f"{module.cli_name} (PID {module.pid}) terminate signal sent"
        self._log("info", "JLAUNCHD_TERMINATE", text)
        self._signal(module, signal.SIGTERM, ordered)

    # -- what follows -----------------------------------------------------------------------------

    def _deadlines(self) -> None:
        for module in self.modules.values():
            if module.deadline is None or module.deadline > self._now.monotonic:
                continue
            module.deadline = None
            match module.state:
                case State.BACKOFF if module.wanted:
                    self._backoff_over(module)
                case State.STARTING if module.pid:
                    self._kill(module, "start-timeout")
                case State.STOPPING:
                    self._apply(module, c.StopLate())
                    module.deadline = self._now.monotonic + module.program.stop_timeout
                    if module.pid:
                        self._signal(module, signal.SIGKILL, "stop-timeout")
                case _:
                    pass

    def _advance(self) -> None:
        """Start what may start and stop what must stop, in dependency order."""
        if not self.running:
            return
        for module in self.modules.values():
            if module.wanted and module.state is State.DOWN and self._requirements_ready(module):
                self._apply(module, c.Start())
                self._launch(module)
        # A module that was given up goes down at once, and then what it requires may.
        while self._stop_some():
            pass
        if self.stopping and all(x.state is State.DOWN for x in self.modules.values()):
            self.stopping, self.running = False, False
            self._commands.append(m.AllStopped())

    def _stop_some(self) -> bool:
        """Stop what may stop now; did anything change?"""
        changed = False
        for module in reversed(self.modules.values()):
            going = module.wanted or module.state in (State.DOWN, State.STOPPING)
            if not going and self._dependants_down(module):
                self._stop(module)
                changed = True
        return changed

    def _stop(self, module: Module) -> None:
        given_up = module.state in (State.BACKOFF, State.FAILED)
        self._apply(module, c.Stop())
        if given_up:
            module.deadline = None
            self._save(module)
        else:
            self._ask_to_leave(module)

    def _requirements_ready(self, module: Module) -> bool:
        return all(self.modules[name].state is State.UP for name in module.program.requires)

    def _dependants_down(self, module: Module) -> bool:
        """When everything stops, a module goes after those that require it."""
        return not self.stopping or all(
            other.state is State.DOWN
            for other in self.modules.values()
            if module.name in other.program.requires
        )

    # -- small things -----------------------------------------------------------------------------

    def _apply(self, module: Module, event: c.Event) -> State:
        module.state = next_state(module.name, TRANSITIONS, module.state, event)
        return module.state

    def _launch(self, module: Module) -> None:
        if module.incarnation:
            module.restarts += 1
        module.incarnation += 1
        module.pid = 0
        module.deadline = self._now.monotonic + module.program.start_timeout
        self._commands.append(m.Launch(module.name, module.incarnation, module.record()))

    def _signal(self, module: Module, number: signal.Signals, ordered: str) -> None:
        self._commands.append(m.SendSignal(module.name, module.incarnation, number, ordered))

    def _save(self, module: Module) -> None:
        self._commands.append(m.SaveRecord(module.name, module.record()))

    def _log(self, severity: str, tag: str, text: str) -> None:
        self._commands.append(m.LogLine(severity, tag, text))

    def _log_exit(self, module: Module, cause: str) -> None:
        kind, _, detail = cause.partition(":")
        who = f"{module.cli_name} (PID {module.pid})"
        if kind == "signal":
            number = getattr(signal, detail, None)
            text = f"{who} terminated by signal number {int(number) if number else detail}."
        elif cause == "exit:0":
            text = f"{who} exited with status=0 Normal Exit"
        elif kind == "exit":
            text = f"{who} exited with status={detail}"
        else:
            text = f"{module.cli_name}: nobody claimed incarnation {module.incarnation}"
        self._log("notice", "JLAUNCHD_EXITED", text)

    @staticmethod
    def _may_leave(program: Program, cause: str) -> bool:
        return program.restart == "temporary" or (
            program.restart == "transient" and cause == "exit:0"
        )

    def _emit(
        self,
        module: Module,
        event: str,
        *,
        cause: str = "",
        at: float | None = None,
        downtime_ms: float | None = None,
        attempt: int = 0,
        next: str = "",
    ) -> None:
        self._commands.append(
            m.Emit(
                name=module.name,
                event=event,
                incarnation=module.incarnation,
                cause=cause,
                at=self._now.monotonic if at is None else at,
                downtime_ms=downtime_ms,
                attempt=attempt,
                next=next,
            )
        )

"""All modules together: dependency order, restarts, adoption. Pure: events in, commands out.

A module is started for the first time when everything it requires is ready, and stopped after
everything that requires it. A failed module is started again at once, whatever the state of the
others, unless its group's strategy says otherwise: feeds bring it up to date.

After a death of jlaunchd the next one is told what init knows (`Adopt`), then the exits that nobody
acknowledged, then `StartAll`. A record says which exit it has counted already, so none counts twice.
What a failure does to others is written down before the failure itself is: it is decided again if we
die between the two.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Final

from jsupervisor.jlaunchd import child as c
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import TRANSITIONS, State
from jsupervisor.jlaunchd.judge import Decision, Judge
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.ordering import FOLLOW, GROUP, HOLD, Ordering
from jsupervisor.jlaunchd.output import Output
from jsupervisor.jlaunchd.plan import Plan, Program
from jsupervisor.runtime.fsm import next_state

DUMP_TIME: Final = 0.1
"""Seconds that a hung module is given to write its stacks before it is killed."""

_SIGNALS: Final = {
    m.How.GRACEFULLY.value: signal.SIGTERM,
    m.How.IMMEDIATELY.value: signal.SIGKILL,
    m.How.ABORT.value: signal.SIGABRT,
}


class Supervisor:
    """The core. `handle` applies one event; `deadline` is when it wants to be woken, in seconds."""

    def __init__(self, plan: Plan, draw: Callable[[], float] = lambda: 0.0) -> None:
        self.modules = {program.name: Module(program) for program in plan.programs}
        self.stopping = False
        self.running = False
        self.judge = Judge(plan.tree(), self.modules, draw)
        self.ordering = Ordering(plan.tree(), self.modules)
        self._out = Output()

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
        self._out.begin(now)
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
            case m.StartRequested() | m.StopRequested() | m.RestartRequested():
                self._requested(event)
            case m.ClearRequested():
                self._clear_requested(self.modules[event.name])
            case m.PlanChanged():
                self._change_plan(event.plan)
            case m.StopAll():
                self.stopping = True
                for module in self.modules.values():
                    module.wanted = False
            case m.DeadlineReached() if self.running:
                self._deadlines()
            case m.DeadlineReached():
                pass  # a record's back-off is over, but its module's exit may be among the notices
        self._advance()
        return self._out.commands

    # -- adoption ---------------------------------------------------------------------------------

    def _adopt(self, event: m.Adopt) -> None:
        module = self.modules.get(event.name)
        if module is None:
            # It has left the plan, and a predecessor of ours died before it was down.
            module = Module(Program(name=event.name, executable=event.name, entry=""))
            self.modules[event.name] = module
            module.removed = True
        if event.aside:
            text = f"{module.cli_name}: record set aside"
            self._out.log("warning", "JLAUNCHD_RECORD_ASIDE", text)
        if event.record is not None:
            module.restore(event.record)
        if module.removed:
            module.wanted = False
        module.incarnation, module.pid = event.incarnation, event.pid
        if event.phase == "gone":
            module.adopted_gone = True
            return
        self._out.emit(module, "adopt")
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
                module.deadline = self._out.now.monotonic + module.program.start_timeout
        if event.aside:
            self._out.save(module)

    def _repeat_signal(self, module: Module) -> None:
        """What was decided was written down first: it may not have been carried out any more."""
        if not module.pid:
            return
        if module.state is State.KILLING:
            self._out.signal(module, signal.SIGKILL, module.killed_for)
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
                self._out.add(m.RaiseAlarm(module.name, module.thrashing))

    # -- what modules do --------------------------------------------------------------------------

    def _claimed(self, event: m.Claimed) -> None:
        module = self.modules[event.name]
        if event.incarnation != module.incarnation:
            return
        module.pid = event.pid
        self._out.emit(module, "start", attempt=self.judge.counting(module, self._now) + 1)
        self._out.log("info", "JLAUNCHD_STARTED", f"{module.cli_name} (PID {module.pid}) started")
        if module.state is State.STOPPING:
            # It was asked to leave before there was a process to tell.
            self._ask_to_leave(module)
        elif module.state is State.STARTING:
            module.deadline = self._now + module.program.start_timeout

    def _reported(self, event: m.Reported) -> None:
        module = self.modules[event.name]
        if event.incarnation != module.incarnation:
            return
        expected = module.state in (State.STARTING, State.STOPPING, State.KILLING)
        if event.stage == "ready" and expected and self._apply(module, c.Ready()) is State.UP:
            self._became_ready(module, event.at)
        else:
            self._out.emit(module, event.stage, at=event.at)

    def _became_ready(self, module: Module, at: float | None) -> None:
        downtime = None
        if module.down_since is not None and at is not None:
            downtime = (at - module.down_since) * 1e3
        module.ready_at, module.deadline = self._out.now.utc, None
        module.down_since, module.up_since = None, self._now if at is None else at
        self._out.emit(module, "ready", at=at, downtime_ms=downtime)
        self._out.add(m.ClearAlarm(module.name))
        self._out.save(module)

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
        at = event.at if isinstance(event, m.Exited) else self._now
        if module.down_since is None:
            module.down_since = at
        self._out.log_exit(module, cause)
        killed_for = module.killed_for
        module.pid, module.deadline, module.killed_for = 0, None, ""
        if module.state is State.STOPPING:
            self._left_as_asked(module, at)
        elif not module.wanted or (self._may_leave(module.program, cause) and not killed_for):
            module.last_cause, module.wanted = killed_for or cause, False
            self._out.emit(module, "exit", cause=module.last_cause, at=at)
            self._apply(module, c.Ended())
            self._out.save(module)
        else:
            self._failed(module, killed_for or cause, at)

    def _left_as_asked(self, module: Module, at: float) -> None:
        reason, module.replacing = module.replacing, ""
        module.how, module.up_since = m.How.GRACEFULLY.value, None
        module.last_cause = f"requested:{reason or 'stop'}"
        self._out.emit(module, "exit", cause=module.last_cause, at=at)
        if reason == HOLD and not self.stopping and module.wanted:
            self._apply(module, c.Condemned())
        elif reason in _SIGNALS and not self.stopping:
            self._apply(module, c.Replaced())
            self._out.launch(module)
            return
        else:
            self._apply(module, c.Ended())
        self._out.save(module)

    def _hung(self, module: Module, incarnation: int) -> None:
        if incarnation == module.incarnation and module.state in (State.STARTING, State.UP):
            self._kill(module, "hang")

    def _kill(self, module: Module, why: str) -> None:
        """Have it write its stacks, also if it is stopped, and then die."""
        self._out.emit(module, "hang", cause=why, next="kill")
        self._apply(module, c.Hung())
        module.killed_for, module.deadline = why, self._now + DUMP_TIME
        self._out.save(module)
        self._out.signal(module, signal.SIGABRT, why)
        self._out.signal(module, signal.SIGCONT, why)

    # -- what failures do -------------------------------------------------------------------------

    def _failed(self, module: Module, cause: str, at: float) -> None:
        decision = self.judge.decide(module, at)
        module.last_cause = cause
        others = tuple(name for name in decision.together if name != module.name)
        if decision.delay is None:
            self._hold(module, cause, at, decision, others)
            return
        following = f"restart in {decision.delay * 1e3:.0f} ms"
        if others:
            following += f" with {', '.join(others)}"
        attempt = decision.attempt
        self._out.emit(module, "exit", cause=cause, at=at, attempt=attempt, next=following)
        for name in decision.escalated:
            self._out.emit(module, "escalate", cause=name, attempt=attempt, next=following)
        for name in reversed(others):
            self._take_down(self.modules[name], GROUP + decision.scope)
        self._take_followers_down(decision.together)
        self._apply(module, c.Forgiven(decision.delay))
        module.deadline = self._now + decision.delay if decision.delay else None
        if module.deadline is not None or self.ordering.waits_for(module):
            self._out.save(module)
        else:
            self._backoff_over(module)

    def _hold(
        self, module: Module, cause: str, at: float, decision: Decision, others: tuple[str, ...]
    ) -> None:
        following = decision.failover or "hold"
        attempt, text = decision.attempt, module.thrashing
        self._out.emit(module, "exit", cause=cause, at=at, attempt=attempt, next=following)
        for name in decision.escalated:
            self._out.emit(module, "escalate", cause=name, attempt=attempt, next=following)
        for name in reversed(others):
            self._take_down(self.modules[name], HOLD)
        self._apply(module, c.Condemned())
        self._out.save(module)
        self._out.emit(module, "thrash", cause=cause, attempt=attempt, next=following)
        self._out.log("error", "JLAUNCHD_THRASHING", text)
        self._out.add(m.RaiseAlarm(module.name, text))
        if decision.failover:
            self._out.log(
                "error", "JLAUNCHD_FAILOVER", f"{module.cli_name}: failover {decision.failover}"
            )
            self._out.add(m.FailOver(module.name, decision.failover))

    def _take_down(self, module: Module, reason: str) -> None:
        """It goes down because of another one; `reason` says what comes after."""
        match module.state:
            case State.STARTING | State.UP:
                module.replacing = reason
                self._apply(module, c.Restart())
                self._ask_to_leave(module)
            case State.STOPPING if module.wanted:
                module.replacing = reason
                self._out.save(module)
            case State.DOWN | State.BACKOFF if reason == HOLD and module.wanted:
                self._apply(module, c.Condemned())
                module.deadline = None
                self._out.save(module)
            case _:
                pass

    def _take_followers_down(self, names: tuple[str, ...]) -> None:
        for follower, followed in self.ordering.followers(names):
            if follower.wanted:
                self._take_down(follower, FOLLOW + followed)

    def _backoff_over(self, module: Module) -> None:
        module.deadline = None
        if not self.ordering.waits_for(module):
            self._apply(module, c.BackoffOver())
            self._out.launch(module)

    # -- what operators ask -----------------------------------------------------------------------

    def _requested(self, event: m.StartRequested | m.StopRequested | m.RestartRequested) -> None:
        module = self.modules[event.name]
        match event:
            case m.StopRequested():
                module.wanted, module.replacing, module.how = False, "", event.how.value
                self._out.save(module)
            case _ if self.stopping or module.removed:
                pass
            case m.StartRequested():
                self._start_requested(module)
            case m.RestartRequested():
                self._restart_requested(module, event.how)

    def _start_requested(self, module: Module) -> None:
        module.wanted = True
        if module.state in (State.BACKOFF, State.FAILED):
            self.judge.forget(module)
            self._apply(module, c.Start())
            self._out.launch(module)
        else:
            self._out.save(module)

    def _restart_requested(self, module: Module, how: m.How) -> None:
        module.wanted = True
        if module.state in (State.DOWN, State.BACKOFF, State.FAILED):
            self._start_requested(module)
            return
        self._out.emit(module, "restart", cause=f"requested:{how.value}")
        if how is m.How.SOFT:
            module.last_cause = "requested:soft"
            self._out.save(module)
            if module.state is State.UP:  # one that is starting reads everything anyway
                self._out.signal(module, signal.SIGHUP, "")
            return
        self._take_followers_down((module.name,))
        module.replacing = module.how = how.value
        self._apply(module, c.Restart())
        self._ask_to_leave(module)

    def _clear_requested(self, module: Module) -> None:
        self.judge.forget(module)
        if module.state is State.FAILED:
            module.wanted = False
            self._apply(module, c.Stop())
        self._out.add(m.ClearAlarm(module.name))
        self._out.save(module)
        if module.pid:
            self._out.signal(module, signal.SIGCONT, "")

    def _change_plan(self, plan: Plan) -> None:
        known = dict(self.modules)
        self.modules.clear()  # in place: the judge and the ordering look at the same table
        for program in plan.programs:
            module = known.pop(program.name, None) or Module(program)
            if module.removed:
                module.removed, module.wanted = False, not self.stopping
            module.program = program
            self.modules[program.name] = module
        for name, module in known.items():
            module.removed, module.wanted, module.replacing = True, False, ""
            self.modules[name] = module
        self.judge.tree = self.ordering.tree = plan.tree()

    # -- what follows -----------------------------------------------------------------------------

    def _deadlines(self) -> None:
        for module in self.modules.values():
            if module.deadline is None or module.deadline > self._now:
                continue
            module.deadline = None
            match module.state:
                case State.BACKOFF if module.wanted:
                    self._backoff_over(module)
                case State.STARTING if module.pid:
                    self._kill(module, "start-timeout")
                case State.KILLING if module.pid:
                    self._out.signal(module, signal.SIGKILL, module.killed_for)
                case State.STOPPING:
                    self._apply(module, c.StopLate())
                    module.deadline = self._now + module.program.stop_timeout
                    if module.pid:
                        self._out.signal(module, signal.SIGKILL, "stop-timeout")
                case State.DOWN if module.wanted:
                    self._say_that_it_waits(module)
                case _:
                    pass

    def _say_that_it_waits(self, module: Module) -> None:
        missing = self.ordering.waits_for(module)
        if not missing:
            return
        module.told_of_waiting = True
        states = ", ".join(f"{name} ({self._state_of(name)})" for name in missing)
        seconds = f"{module.program.requires_timeout:g}"
        text = f"{module.cli_name} has waited {seconds} s for {states}, and goes on waiting"
        self._out.emit(module, "waiting", cause=f"requires:{','.join(missing)}", next="wait")
        self._out.log("warning", "JLAUNCHD_WAITING", text)
        self._out.add(m.RaiseAlarm(module.name, f"{module.cli_name} waits for {states}"))

    def _state_of(self, name: str) -> str:
        other = self.modules.get(name)
        return "unknown" if other is None else other.state.shown

    def _advance(self) -> None:
        """Start what may start and stop what must stop, in dependency order."""
        if not self.running:
            return
        for module in self.modules.values():
            if module.wanted:
                self._start_if_it_may(module)
        # A module that was given up goes down at once, and then what it requires may.
        while self._stop_some():
            pass
        for module in [x for x in self.modules.values() if x.removed and x.state is State.DOWN]:
            del self.modules[module.name]
            self._out.add(m.Forget(module.name))
        if self.stopping and all(x.state is State.DOWN for x in self.modules.values()):
            self.stopping, self.running = False, False
            self._out.add(m.AllStopped())

    def _start_if_it_may(self, module: Module) -> None:
        due = module.state is State.BACKOFF and module.deadline is None
        if not due and module.state is not State.DOWN:
            return
        if not self.ordering.waits_for(module):
            self._apply(module, c.BackoffOver() if due else c.Start())
            self._out.launch(module)
        elif not due and module.deadline is None and not module.told_of_waiting:
            module.deadline = self._now + module.program.requires_timeout

    def _stop_some(self) -> bool:
        """Stop what may stop now; did anything change?"""
        changed = False
        for module in reversed(self.modules.values()):
            going = module.wanted or module.state in (State.DOWN, State.STOPPING)
            if not going and (not self.stopping or self.ordering.dependants_down(module)):
                self._stop(module)
                changed = True
        return changed

    def _stop(self, module: Module) -> None:
        given_up = module.state in (State.BACKOFF, State.FAILED)
        self._apply(module, c.Stop())
        if given_up:
            module.deadline = None
            self._out.save(module)
        else:
            self._ask_to_leave(module)

    # -- small things -----------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self._out.now.monotonic

    def _apply(self, module: Module, event: c.Event) -> State:
        module.state = next_state(module.name, TRANSITIONS, module.state, event)
        return module.state

    def _ask_to_leave(self, module: Module) -> None:
        """Once there is a process: before, it is told when it claims its name."""
        module.deadline = self._now + module.program.stop_timeout
        self._out.save(module)
        if not module.pid:
            return
        ordered = f"requested:{module.replacing or 'stop'}"
        number = _SIGNALS.get(module.how, signal.SIGTERM)
        if number is signal.SIGTERM:
            text = f"{module.cli_name} (PID {module.pid}) terminate signal sent"
            self._out.log("info", "JLAUNCHD_TERMINATE", text)
        self._out.signal(module, number, ordered)

    @staticmethod
    def _may_leave(program: Program, cause: str) -> bool:
        return program.restart == "temporary" or (
            program.restart == "transient" and cause == "exit:0"
        )

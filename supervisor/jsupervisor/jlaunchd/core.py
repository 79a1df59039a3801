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

from jsupervisor.jlaunchd import child as c
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.judge import Decision, Judge
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.moves import SIGNALS, Moves
from jsupervisor.jlaunchd.ordering import GROUP, HOLD, Ordering
from jsupervisor.jlaunchd.output import Output
from jsupervisor.jlaunchd.plan import Plan, Program
from jsupervisor.jlaunchd.standing import stands_from


class Supervisor:
    """The core. `handle` applies one event; `deadline` is when it wants to be woken, in seconds."""

    def __init__(self, plan: Plan, draw: Callable[[], float] = lambda: 0.0) -> None:
        self.modules = {program.name: Module(program) for program in plan.programs}
        self.stopping = False
        self.running = False
        self.judge = Judge(plan.tree(), self.modules, draw)
        self.ordering = Ordering(plan.tree(), self.modules)
        self._out = Output()
        self._moves = Moves(self._out, self.ordering)

    @property
    def deadline(self) -> float | None:
        """The earliest moment at which something is due; nothing is before everything is adopted."""
        if not self.running:
            return None
        modules = self.modules.values()
        return min(
            (x for m in modules for x in (m.deadline, m.stands_at) if x is not None), default=None
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
        self._give_standing_orders()
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
        module.standing = event.standing
        self._out.emit(module, "adopt")
        match module.state:
            case State.STOPPING | State.KILLING:
                self._moves.repeat_signal(module)
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
            self._moves.ask_to_leave(module)
        elif module.state is State.STARTING:
            module.deadline = self._now + module.program.start_timeout

    def _reported(self, event: m.Reported) -> None:
        module = self.modules[event.name]
        if event.incarnation != module.incarnation:
            return
        expected = module.state in (State.STARTING, State.STOPPING, State.KILLING)
        if event.stage == "ready" and expected and self._moves.apply(module, c.Ready()) is State.UP:
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
        successor = event.successor if isinstance(event, m.Exited) else 0
        if module.state is State.STOPPING and successor:
            self._outlived(module, cause, at, successor)
        elif module.state is State.STOPPING:
            self._left_as_asked(module, at)
        elif successor:
            self._failed(module, killed_for or cause, at, successor)
        elif not module.wanted or (self._may_leave(module.program, cause) and not killed_for):
            module.last_cause, module.wanted = killed_for or cause, False
            self._out.emit(module, "exit", cause=module.last_cause, at=at)
            self._moves.apply(module, c.Ended())
            self._out.save(module)
        else:
            self._failed(module, killed_for or cause, at)

    def _left_as_asked(self, module: Module, at: float) -> None:
        reason, module.replacing = module.replacing, ""
        module.how, module.up_since = m.How.GRACEFULLY.value, None
        module.last_cause = f"requested:{reason or 'stop'}"
        self._out.emit(module, "exit", cause=module.last_cause, at=at)
        if reason == HOLD and not self.stopping and module.wanted:
            self._moves.apply(module, c.Condemned())
        elif reason in SIGNALS and not self.stopping:
            self._moves.apply(module, c.Replaced())
            self._out.launch(module)
            return
        else:
            self._moves.apply(module, c.Ended())
        self._out.save(module)

    def _outlived(self, module: Module, cause: str, at: float, successor: int) -> None:
        """It failed just when it was asked to leave: the same is asked of its successor."""
        module.last_cause, module.incarnation = cause, successor
        module.restarts += 1
        self._out.emit(module, "exit", cause=cause, at=at, next="stop")
        module.deadline = self._now + module.program.stop_timeout
        self._out.save(module)

    def _hung(self, module: Module, incarnation: int) -> None:
        if incarnation == module.incarnation and module.state in (State.STARTING, State.UP):
            self._moves.kill(module, "hang")

    # -- what failures do -------------------------------------------------------------------------

    def _failed(self, module: Module, cause: str, at: float, successor: int = 0) -> None:
        """What follows; what init has done already, by a standing order, stands."""
        decision = self.judge.decide(module, at)
        self._take_orders_back(module, decision)
        module.last_cause = cause
        others = tuple(name for name in decision.together if name != module.name)
        if decision.delay is None:
            self._hold(module, cause, at, decision, others, successor)
            return
        following = f"restart in {0 if successor else decision.delay * 1e3:.0f} ms"
        if others:
            following += f" with {', '.join(others)}"
        attempt = decision.attempt
        self._out.emit(module, "exit", cause=cause, at=at, attempt=attempt, next=following)
        for name in decision.escalated:
            self._out.emit(module, "escalate", cause=name, attempt=attempt, next=following)
        for name in reversed(others):
            self._moves.take_down(self.modules[name], GROUP + decision.scope)
        self._moves.take_followers_down(decision.together)
        if successor:
            self._moves.succeed(module, successor)
            return
        self._moves.apply(module, c.Forgiven(decision.delay))
        module.deadline = self._now + decision.delay if decision.delay else None
        if module.deadline is not None or self.ordering.waits_for(module):
            self._out.save(module)
        else:
            self._backoff_over(module)

    def _hold(
        self,
        module: Module,
        cause: str,
        at: float,
        decision: Decision,
        others: tuple[str, ...],
        successor: int,
    ) -> None:
        following = decision.failover or "hold"
        attempt, text = decision.attempt, module.thrashing
        self._out.emit(module, "exit", cause=cause, at=at, attempt=attempt, next=following)
        for name in decision.escalated:
            self._out.emit(module, "escalate", cause=name, attempt=attempt, next=following)
        for name in reversed(others):
            self._moves.take_down(self.modules[name], HOLD)
        if successor:
            self._moves.succeed(module, successor)
            self._moves.take_down(module, HOLD)
        else:
            self._moves.apply(module, c.Condemned())
            self._out.save(module)
        self._out.emit(module, "thrash", cause=cause, attempt=attempt, next=following)
        self._out.log("error", "JLAUNCHD_THRASHING", text)
        self._out.add(m.RaiseAlarm(module.name, text))
        if decision.failover:
            self._out.log(
                "error", "JLAUNCHD_FAILOVER", f"{module.cli_name}: failover {decision.failover}"
            )
            self._out.add(m.FailOver(module.name, decision.failover))

    def _backoff_over(self, module: Module) -> None:
        module.deadline = None
        if not self.ordering.waits_for(module):
            self._moves.apply(module, c.BackoffOver())
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
            self._moves.apply(module, c.Start())
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
        self._moves.take_followers_down((module.name,))
        module.replacing = module.how = how.value
        self._moves.apply(module, c.Restart())
        self._moves.ask_to_leave(module)

    def _clear_requested(self, module: Module) -> None:
        self.judge.forget(module)
        if module.state is State.FAILED:
            module.wanted = False
            self._moves.apply(module, c.Stop())
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
        for module in self.modules.values():
            if module.standing:
                self._out.save(module)  # the same order may read otherwise now

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
                    self._moves.kill(module, "start-timeout")
                case State.KILLING if module.pid:
                    self._out.signal(module, signal.SIGKILL, module.killed_for)
                case State.STOPPING:
                    self._moves.apply(module, c.StopLate())
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
            self._moves.apply(module, c.BackoffOver() if due else c.Start())
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
        self._moves.apply(module, c.Stop())
        if given_up:
            module.deadline = None
            self._out.save(module)
        else:
            self._moves.ask_to_leave(module)

    # -- standing orders --------------------------------------------------------------------------

    def _give_standing_orders(self) -> None:
        """To init, for whoever would be started again at once."""
        if not self.running or self.stopping:
            return
        for module in self.modules.values():
            module.stands_at = None
            if module.state is not State.UP or module.standing:
                continue
            since = stands_from(module, self.judge, self.ordering, self._now)
            if since is not None and since <= self._now:
                self._out.stand(module)
            else:
                module.stands_at = since

    def _take_orders_back(self, failed: Module, decision: Decision) -> None:
        for name in self.judge.strained(failed, decision, self._now):
            if self.modules[name].standing and name != failed.name:
                self._out.save(self.modules[name])

    # -- small things -----------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return self._out.now.monotonic

    @staticmethod
    def _may_leave(program: Program, cause: str) -> bool:
        return program.restart == "temporary" or (
            program.restart == "transient" and cause == "exit:0"
        )

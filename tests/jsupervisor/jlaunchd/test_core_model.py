"""The supervisor against a model of init, killed between any two of its commands.

init's part is played by its own table. What a dying supervisor had still to say is lost from a random
command on; launchers, modules, operators and time do what they like. Whatever happens: a name has one
process at most, and when things calm down every module is up, or down or given up by the rule.
"""

from __future__ import annotations

import json
import signal
from collections import Counter, deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from jsupervisor.init.table import Phase, Process, Refused, Standing, Table
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.plan import Plan, with_policy
from jsupervisor.jlaunchd.profile import parse_plan

POLICIES = ("junos", "never-give-up", "systemd")
NAMES = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
TEXT = """
[profile]
name = "model"
policy = "%s"
[program.a]
entry = "m:C"
start_timeout = 5
stop_timeout = 2
[program.b]
entry = "m:C"
requires = ["a"]
restart = "transient"
[program.c]
entry = "m:C"
requires = ["d"]
[program.d]
entry = "m:C"
restart = "temporary"
[program.e]
entry = "m:C"
[program.f]
entry = "m:C"
requires = ["a"]
follows = ["a"]
requires_timeout = 3
[program.g]
entry = "m:C"
[program.h]
entry = "m:C"
[program.i]
entry = "m:C"
[program.j]
entry = "m:C"
[group.inner]
members = ["e", "f"]
strategy = "one_for_all"
policy = "erlang"
[group.outer]
members = ["inner", "g"]
strategy = "rest_for_one"
intensity = 2
[group.pair]
members = ["i", "j"]
intensity = 2
"""
names = st.sampled_from(NAMES)


class World(RuleBasedStateMachine):
    """init's table, the processes that exist, and a supervisor that may be dead."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan = parse_plan(TEXT % "junos", "model.toml")
        self.table = Table()
        self.now = 10.0
        self.forks: deque[tuple[str, int]] = deque()
        self.unborn: list[tuple[str, int]] = []
        self.alive: dict[int, tuple[str, int]] = {}
        self.notices: deque[m.Exited | m.Expired] = deque()
        self.core: Supervisor | None = None
        self.dies_after: int | None = None
        self.later: deque[m.Exited | m.Expired] = deque()
        self.died_at: set[float] = set()
        self.next_pid = 100
        self.next_notice = 1
        self.finished = False
        self.successions = 0
        self.changes = 0

    @property
    def mark(self) -> str:
        """Which plan is in force."""
        return str(self.changes)

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: str) -> None:
        self.plan = parse_plan(TEXT % policy, "model.toml")
        self.revive()

    # -- the supervisor and its connection --------------------------------------------------------

    def tell(self, event: m.Event) -> None:
        """An event for the supervisor, if there is one; it may die while it answers."""
        if self.core is None:
            return
        for command in self.core.handle(event, m.Instant(self.now, "")):
            if self.dies_after is not None:
                self.dies_after -= 1
                if self.dies_after < 0:
                    self.core = None
                    return
            self.carry_out(command)
        if isinstance(event, m.Exited | m.Expired):
            while self.notices and self.notices[0].notice <= event.notice:
                self.notices.popleft()  # written to the journal, and acknowledged

    def carry_out(self, command: m.Command) -> None:
        """As init does."""
        match command:
            case m.Launch():
                # Nobody is refused here: the supervisor never reserves what may still run.
                self.table.reserve(
                    command.name, command.incarnation, "full", {}, int(self.now * 1e9)
                )
                self.table.records[command.name] = on_the_wire(command.record)
                self.forks.append((command.name, command.incarnation))
            case m.SaveRecord():
                given = (
                    Standing(command.standing, "full", {}, self.mark) if command.standing else None
                )
                record = on_the_wire(command.record)
                self.table.record(command.name, command.incarnation, record, given)
            case m.SendSignal():
                try:
                    process = self.table.find(command.name, command.incarnation)
                except Refused:
                    return
                process.ordered = command.ordered or process.ordered
                if command.signal == signal.SIGKILL:
                    self.reap(process.pid, "signal:SIGKILL")
            case m.AllStopped():
                self.finished = True
            case _:
                pass

    def revive(self, dies_after: int | None = None) -> None:
        """init starts the next supervisor and tells it what there is."""
        self.dies_after = dies_after
        self.core = Supervisor(self.plan)
        unheard = {name for name, newest in self.table.processes.items() if newest.replaces}
        for newest in list(self.table.processes.values()):
            process = newest.replaces or newest
            phase = Phase.RUNNING if newest.replaces else newest.phase
            record = self.table.records.get(process.name)
            ready = process.reached.get("ready")
            self.tell(
                m.Adopt(
                    name=process.name,
                    incarnation=process.incarnation,
                    phase=phase.value,
                    pid=process.pid if phase is Phase.RUNNING else 0,
                    ready=ready is not None,
                    record=record if isinstance(record, dict) else None,
                    aside=False,
                    ready_at=None if ready is None else ready / 1e9,
                    standing=self.standing_for(process),
                )
            )
        for notice in list(self.notices):
            self.tell(notice)
            if isinstance(notice, m.Exited) and notice.successor and notice.name in unheard:
                self.tell_of_successor(notice.name)
        self.tell(m.StartAll())

    def standing_for(self, process: Process) -> int:
        """As the shell finds out: an order that another plan made is taken back."""
        standing = self.table.standing.get(process.name)
        if standing is not None and standing.mark != self.mark:
            name, record = process.name, self.table.records.get(process.name)
            self.table.record(name, process.incarnation, record)
            return 0
        return 0 if standing is None else standing.incarnation

    def tell_of_successor(self, name: str) -> None:
        """As init does."""
        process = self.table.processes[name]
        if process.pid:
            self.tell(m.Claimed(name, process.incarnation, process.pid))
        for stage, at in process.reached.items():
            self.tell(m.Reported(name, process.incarnation, stage, at / 1e9))

    # -- what may happen --------------------------------------------------------------------------

    @precondition(lambda self: self.core is not None)
    @rule(commands=st.integers(0, 6))
    def the_supervisor_will_die_soon(self, commands: int) -> None:
        self.dies_after = commands

    @precondition(lambda self: self.core is not None)
    @rule()
    def the_supervisor_dies(self) -> None:
        self.core = None

    @precondition(lambda self: self.core is None)
    @rule(commands=st.none() | st.integers(0, 12))
    def the_next_supervisor_comes(self, commands: int | None) -> None:
        self.revive(commands)

    @precondition(lambda self: self.forks)
    @rule(twice=st.booleans())
    def the_launcher_forks(self, twice: bool) -> None:
        newborn = self.forks.popleft()
        self.unborn += [newborn] * (2 if twice else 1)

    @precondition(lambda self: self.forks)
    @rule()
    def the_launcher_dies_before_it_forks(self) -> None:
        self.forks.clear()

    @precondition(lambda self: self.unborn)
    @rule(data=st.data())
    def a_newborn_claims(self, data: st.DataObject) -> None:
        name, incarnation = self.unborn.pop(
            data.draw(st.integers(0, len(self.unborn) - 1), "newborn")
        )
        self.claim(name, incarnation)

    def claim(self, name: str, incarnation: int) -> None:
        """A newborn asks init."""
        pid, self.next_pid = self.next_pid, self.next_pid + 1
        try:
            self.table.claim(name, incarnation, pid, pid)
        except Refused:
            return  # it exits
        self.alive[pid] = (name, incarnation)
        self.tell(m.Claimed(name, incarnation, pid))

    @precondition(lambda self: self.unborn)
    @rule()
    def the_newborn_die(self) -> None:
        self.unborn.clear()

    @rule()
    def for_a_moment_all_goes_well(self) -> None:
        while self.forks or self.unborn:
            self.unborn += self.forks
            self.forks.clear()
            self.claim(*self.unborn.pop())
            self.deliver()
            for pid in sorted(self.alive):
                process = self.table.find(self.alive[pid][0])
                if "ready" not in process.reached:
                    self.report(pid, "ready")

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), stage=st.sampled_from(["serving", "ready"]))
    def a_module_reports(self, data: st.DataObject, stage: str) -> None:
        pid = data.draw(st.sampled_from(sorted(self.alive)), "pid")
        self.report(pid, stage)

    def report(self, pid: int, stage: str) -> None:
        """As init does."""
        process = self.table.report(pid, stage, int(self.now * 1e9))
        self.tell(m.Reported(process.name, process.incarnation, stage, self.now))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), cause=st.sampled_from(["signal:SIGSEGV", "exit:0", "exit:1"]))
    def a_module_dies(self, data: st.DataObject, cause: str) -> None:
        self.reap(data.draw(st.sampled_from(sorted(self.alive)), "pid"), cause)

    @precondition(lambda self: self.alive and not self.finished)
    @rule(
        data=st.data(),
        event=st.builds(m.StopRequested, names)
        | st.builds(m.RestartRequested, names, st.sampled_from(m.How)),
    )
    def one_dies_before_init_hears_what_an_operator_wants(
        self, data: st.DataObject, event: m.StopRequested | m.RestartRequested
    ) -> None:
        self.reap(data.draw(st.sampled_from(sorted(self.alive)), "pid"), "exit:1")
        self.tell(event)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), name=names, policy=st.sampled_from(POLICIES))
    def one_dies_before_init_hears_of_another_policy(
        self, data: st.DataObject, name: str, policy: str
    ) -> None:
        self.reap(data.draw(st.sampled_from(sorted(self.alive)), "pid"), "exit:1")
        self.set_policy(policy, name)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def two_die_before_the_supervisor_hears_of_it(self, data: st.DataObject) -> None:
        for _ in range(min(2, len(self.alive))):
            self.reap(data.draw(st.sampled_from(sorted(self.alive)), "pid"), "signal:SIGKILL")

    def reap(self, pid: int, cause: str) -> None:
        """As init does."""
        process = self.table.exited(pid)
        assert process is not None
        del self.alive[pid]
        self.now += 1e-6  # no two deaths at the same time, to tell them apart
        self.died_at.add(self.now)
        successor = self.table.succeed(process, int(self.now * 1e9))
        if successor is not None:
            self.successions += 1
            self.forks.append((successor.name, successor.incarnation))
        notice = m.Exited(
            name=process.name,
            incarnation=process.incarnation,
            pid=pid,
            cause=cause,
            at=self.now,
            notice=self.number(),
            successor=0 if successor is None else successor.incarnation,
        )
        self.notices.append(notice)
        self.later.append(notice)

    def number(self) -> int:
        """The next notice's."""
        self.next_notice += 1
        return self.next_notice

    @rule(name=names)
    def a_heartbeat_is_lost(self, name: str) -> None:
        process = self.table.processes.get(name)
        if process is not None and process.phase is Phase.RUNNING:
            self.tell(m.HeartbeatLost(name, process.incarnation))

    @precondition(lambda self: not self.finished)
    @rule(name=names, how=st.sampled_from(m.How))
    def an_operator_wants_a_restart(self, name: str, how: m.How) -> None:
        self.tell(m.RestartRequested(name, how))

    @precondition(lambda self: not self.finished)
    @rule(name=names, start=st.booleans())
    def an_operator_wants_it_up_or_down(self, name: str, start: bool) -> None:
        self.tell(m.StartRequested(name) if start else m.StopRequested(name))

    @precondition(lambda self: not self.finished)
    @rule(name=names)
    def an_operator_takes_faults_back(self, name: str) -> None:
        self.tell(m.ClearRequested(name))

    @rule(policy=st.sampled_from(POLICIES), of=st.sampled_from(["", *NAMES, "inner", "outer"]))
    def an_operator_sets_a_policy(self, policy: str, of: str) -> None:
        self.set_policy(policy, of)

    def set_policy(self, policy: str, of: str) -> None:
        """As by `jsupervisor set-policy`."""
        self.changes += 1
        self.plan = with_policy(self.plan, policy, of)
        self.tell(m.PlanChanged(self.plan))

    @rule(seconds=st.sampled_from([0.01, 0.2, 2.0, 6.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        """Every deadline on the way is kept, init's and the supervisor's."""
        end = self.now + seconds
        while True:
            due = [p.claim_deadline_ns / 1e9 for p in self.reserved() if p.claim_deadline_ns]
            if self.core is not None and self.core.deadline is not None:
                due.append(self.core.deadline)
            if not due or min(due) > end:
                break
            self.now = max(self.now, min(due))
            for process in self.table.expire(int(self.now * 1e9) + 1):
                self.notices.append(m.Expired(process.name, process.incarnation, self.number()))
                self.tell(self.notices[-1])
            if self.core is not None and (self.core.deadline or self.now + 1) <= self.now:
                self.tell(m.DeadlineReached())
            self.deliver()
        self.now = end

    def reserved(self) -> list[Process]:
        """What nobody claimed yet."""
        return [p for p in self.table.processes.values() if p.phase is Phase.RESERVED]

    def deliver(self) -> None:
        """The notices of deaths that the supervisor itself ordered."""
        while self.later:
            notice = self.later.popleft()
            if notice in self.notices:
                self.tell(notice)

    # -- the law ----------------------------------------------------------------------------------

    @invariant()
    def notices_are_delivered(self) -> None:
        self.deliver()

    @invariant()
    def a_name_has_one_process_at_most(self) -> None:
        running = [name for name, _ in self.alive.values()]

        assert len(running) == len(set(running))

    @invariant()
    def the_supervisor_knows_the_newest_incarnation(self) -> None:
        if self.core is None:
            return
        for process in self.table.processes.values():
            module = self.core.modules[process.name]

            assert module.incarnation == process.incarnation
            if process.phase is Phase.RUNNING:
                assert module.pid == process.pid
                assert module.state not in (State.DOWN, State.BACKOFF, State.FAILED)

    @invariant()
    def no_death_is_counted_twice(self) -> None:
        for module in self.core.modules.values() if self.core is not None else ():
            counted = Counter(module.failures)

            assert not [time for time in self.died_at if counted[time] > 1]

    def settle(self) -> None:
        """From here on nothing goes wrong any more."""
        if self.core is None or self.dies_after is not None:
            self.revive()
        self.dies_after = None
        for _ in range(60):
            self.deliver()
            while self.forks:
                self.unborn.append(self.forks.popleft())
            while self.unborn:
                self.claim(*self.unborn.pop())
            for pid, (name, _) in list(self.alive.items()):
                assert self.core is not None
                if self.core.modules[name].state is State.STOPPING:
                    self.reap(pid, "exit:0")
                elif "ready" not in self.table.processes[name].reached:
                    self.report(pid, "ready")
            self.deliver()
            self.pass_time(1.0)

    def teardown(self) -> None:
        self.settle()
        assert self.core is not None
        for name, module in self.core.modules.items():
            running = [pid for pid, (other, _) in self.alive.items() if other == name]
            if not module.wanted:
                assert (State.DOWN, []) == (module.state, running), name
            elif module.state is State.FAILED:
                assert [] == running, name
            elif module.state in (State.DOWN, State.BACKOFF):
                assert self.core.ordering.waits_for(module), name
                assert [] == running, name
            else:
                assert (State.UP, 1) == (module.state, len(running)), name
            assert all(time <= self.now for time in module.failures)


def on_the_wire(record: object) -> Json:
    """What comes out of JSON again."""
    value: Json = json.loads(json.dumps(record))
    return value


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

"""The real supervisor against the pure one: whatever happens to a router, both come to the same.

Crashes, hangs, requests, policy changes, late readiness and deaths of jlaunchd and launcher are drawn at
random. Each befalls an instance of real processes, and a model: the pure core with an init that does all
at once. Then both are left to settle, and every module must stand the same in both.

JSUP_EXAMPLES sets how many sequences are tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.plan import Plan, with_rule
from jsupervisor.jlaunchd.policy import Backoff, RestartPolicy
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.observer.operator import Operator
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

EXAMPLES = int(os.environ.get("JSUP_EXAMPLES", "3"))
STEPS = 15
SETTLE = 20.0

NAMES = ("one", "two", "three", "four", "five", "six")
# Long periods and runs that are never healthy: what counts must not depend on the machine's speed.
POLICIES = (
    RestartPolicy(3, 86400.0),
    RestartPolicy(None, 86400.0, Backoff(0.0, 2.0, 0.2, reset=86400.0)),
    RestartPolicy(1, 86400.0, on_thrash="escalate"),
)
TEXT = """
[profile]
name = "model"
policy = "never-give-up"
[containment]
uids = false
{programs}
[program.two.policy]
intensity = 1
period = 86400
[group.inner]
members = ["four", "five"]
strategy = "one_for_all"
intensity = 1
period = 86400
on_thrash = "escalate"
[group.outer]
members = ["inner", "six"]
strategy = "rest_for_one"
intensity = 2
period = 86400
"""
EXTRAS = {
    "one": 'restart = "transient"',
    "two": 'requires = ["one"]\nfollows = ["one"]',
    "three": 'requires = ["one"]\nrestart = "temporary"',
    "six": 'requires = ["two"]',
}
ENTRY = "jsup_gated:Gated"


@dataclass(frozen=True)
class Standing:
    """How a module stands, as far as it does not depend on the clock."""

    state: str
    incarnation: int
    restarts: int
    last_cause: str
    failures: int
    waits_for: tuple[str, ...]


class Model:
    """The pure core, with an init and modules that do everything at once and never by themselves."""

    def __init__(self, plan: Plan, open_gates: set[str]) -> None:
        self.plan = plan
        self.open_gates = open_gates
        self.now = 1000.0
        self.notice = 0
        self.records: dict[str, object] = {}
        self.running: dict[str, int] = {}
        self.queue: list[m.Event] = []
        self.core = Supervisor(plan)
        self.tell(m.StartAll())

    def tell(self, event: m.Event) -> None:
        """Let it happen, and all that follows at once."""
        self.queue.append(event)
        while self.queue:
            self.now += 1e-6
            for command in self.core.handle(self.queue.pop(0), m.Instant(self.now, "")):
                self.carry_out(command)

    def carry_out(self, command: m.Command) -> None:
        """As init and modules do."""
        match command:
            case m.Launch():
                self.running[command.name] = command.incarnation
                pid = command.incarnation
                self.queue.append(m.Claimed(command.name, command.incarnation, pid))
                if command.name in self.open_gates:
                    self.queue.append(
                        m.Reported(command.name, command.incarnation, "ready", self.now)
                    )
            case m.SendSignal(signal=number) if number in (signal.SIGTERM, signal.SIGKILL):
                cause = "exit:0" if number == signal.SIGTERM else "signal:SIGKILL"
                self.die(command.name, cause, command.incarnation)
            case m.SendSignal(signal=signal.SIGABRT):
                self.die(command.name, "signal:SIGABRT", command.incarnation)
            case _:
                pass

    def die(self, name: str, cause: str, incarnation: int | None = None) -> None:
        """Its process ends."""
        running = self.running.get(name)
        if running is None or (incarnation is not None and incarnation != running):
            return
        del self.running[name]
        self.notice += 1
        self.queue.append(
            m.Exited(
                name=name,
                incarnation=running,
                pid=running,
                cause=cause,
                at=self.now,
                notice=self.notice,
            )
        )

    def kill(self, name: str, cause: str) -> None:
        """It dies, and what follows."""
        self.die(name, cause)
        self.settle()

    def settle(self) -> None:
        """Back-offs end; none is longer than five seconds."""
        self.tell(m.DeadlineReached())
        self.now += 6.0
        self.tell(m.DeadlineReached())

    def open(self, name: str) -> None:
        """What waited at the gate is ready."""
        self.open_gates.add(name)
        if self.core.modules[name].state is State.STARTING and name in self.running:
            self.tell(m.Reported(name, self.running[name], "ready", self.now))
        self.settle()

    def standing(self) -> dict[str, Standing]:
        """Of every module."""
        found = {}
        for name, module in self.core.modules.items():
            waiting = module.wanted and module.state in (State.DOWN, State.BACKOFF)
            found[name] = Standing(
                module.state.shown,
                module.incarnation,
                module.restarts,
                module.last_cause,
                self.core.judge.counting(module, self.now),
                self.core.ordering.waits_for(module) if waiting else (),
            )
        return found


class World(RuleBasedStateMachine):
    """A real router, and its model."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.awaited: list[tuple[int, str]] = []
        self.router: Router
        self.model: Model

    @initialize()
    def begin(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="jsup-model-"))
        self.stack.callback(shutil.rmtree, folder, ignore_errors=True)
        self.gates = {name: folder / f"gate-{name}" for name in NAMES}
        for gate in self.gates.values():
            gate.touch()
        programs = "".join(
            f'[program.{name}]\nentry = "{ENTRY}"\noptions = {{ gate = "{gate}" }}\n'
            f'requires_timeout = 86400\nstart_timeout = 86400\nconfine = "none"\n'
            f"{EXTRAS.get(name, '')}\n"
            for name, gate in self.gates.items()
        )
        plan = parse_plan(TEXT.format(programs=programs), "model.toml")
        for name in ("one", "three"):
            plan = with_rule(plan, POLICIES[0], name)
        self.router = self.stack.enter_context(Router.boot(plan=plan, home=folder))
        self.model = Model(plan, set(NAMES))
        self.agree()

    def agree(self) -> None:
        """Wait until the router stands as the model does."""
        while self.awaited:
            mark, name = self.awaited.pop()
            self.router.wait_for(mark, name, "ready")
        expected = self.model.standing()
        deadline = time.monotonic() + SETTLE
        while (found := self.standing()) != expected:
            if time.monotonic() > deadline:
                events = "\n".join(str(event) for event in self.router.events()[-25:])
                assert expected == found, events
            self.router.watcher.wait_next(0.05)

    def standing(self) -> dict[str, Standing]:
        """How the router's modules stand now; nothing while jlaunchd is away."""
        status = self.router.status()
        if status.jlaunchd.pid is None:
            return {}
        return {
            module.name: Standing(
                module.state,
                module.incarnation,
                module.restarts,
                module.last_cause,
                module.failures,
                module.waits_for,
            )
            for module in status.modules
        }

    def up(self, name: str) -> bool:
        """Does it run?"""
        return self.model.core.modules[name].state in (State.UP, State.STARTING)

    def inject(self, name: str, kind: str) -> None:
        """Into the real one."""
        mark = self.router.mark()
        with Operator(self.router.instance) as operator:
            operator.inject(name, kind)
        if name in ("jlaunchd", "launcher"):
            self.awaited.append((mark, name))

    # -- what may happen ------------------------------------------------------------------------

    @precondition(lambda self: any(self.up(name) for name in NAMES))
    @rule(
        data=st.data(),
        fault=st.sampled_from(
            [
                ("kill", "signal:SIGKILL"),
                ("segv", "signal:SIGSEGV"),
                ("exit:0", "exit:0"),
                ("exit:3", "exit:3"),
                ("stop", "hang"),
                ("spin", "hang"),
            ]
        ),
        jlaunchd=st.booleans(),
        launcher=st.booleans(),
    )
    def a_module_fails_and_perhaps_jlaunchd_or_the_launcher_with_it(
        self, data: st.DataObject, fault: tuple[str, str], jlaunchd: bool, launcher: bool
    ) -> None:
        kind, cause = fault
        name = data.draw(st.sampled_from([name for name in NAMES if self.up(name)]), "victim")
        self.inject(name, kind)
        if cause != "hang":
            for other, dies in (("jlaunchd", jlaunchd), ("launcher", launcher)):
                if dies:
                    self.inject(other, "kill")
            self.model.kill(name, cause)
        else:
            self.model.tell(m.HeartbeatLost(name, self.model.running[name]))
            self.model.settle()
        self.agree()

    @rule()
    def jlaunchd_dies(self) -> None:
        self.inject("jlaunchd", "kill")
        self.agree()

    @rule(name=st.sampled_from(NAMES), wanted=st.booleans())
    def an_operator_wants_it_up_or_down(self, name: str, wanted: bool) -> None:
        if wanted:
            self.router.up(name)
            self.model.tell(m.StartRequested(name))
        else:
            self.router.down(name)
            self.model.tell(m.StopRequested(name))
        self.model.settle()
        self.agree()

    @rule(name=st.sampled_from(NAMES))
    def an_operator_forgets_failures(self, name: str) -> None:
        self.router.clear(name)
        self.model.tell(m.ClearRequested(name))
        self.model.settle()
        self.agree()

    @precondition(lambda self: any(self.up(name) for name in NAMES))
    @rule(data=st.data(), how=st.sampled_from(["gracefully", "immediately", "abort"]))
    def an_operator_restarts_one(self, data: st.DataObject, how: str) -> None:
        names = [n for n in NAMES if self.up(n) and n in self.model.open_gates]
        if not names:
            return
        name = data.draw(st.sampled_from(names), "restarted")
        self.router.restart(name, how)
        self.model.tell(m.RestartRequested(name, m.How(how)))
        self.model.settle()
        self.agree()

    @rule(policy=st.sampled_from(POLICIES), of=st.sampled_from(["", *NAMES, "inner", "outer"]))
    def an_operator_sets_a_policy(self, policy: RestartPolicy, of: str) -> None:
        self.router.set_policy(policy, of)
        self.model.plan = with_rule(self.model.plan, policy, of)
        self.model.tell(m.PlanChanged(self.model.plan))
        self.model.settle()
        self.agree()

    @rule(name=st.sampled_from(NAMES))
    def one_will_be_ready_late(self, name: str) -> None:
        self.gates[name].unlink(missing_ok=True)
        self.model.open_gates.discard(name)

    @rule(name=st.sampled_from(NAMES))
    def what_is_late_becomes_ready(self, name: str) -> None:
        self.gates[name].touch()
        self.model.open(name)
        self.agree()

    def teardown(self) -> None:
        self.stack.close()


@pytest.fixture(autouse=True)
def daemons_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the launcher, which inherits the environment."""
    folders = [str(Path(__file__).parent / "daemons"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, folders)))


TestModelAndReality = World.TestCase
TestModelAndReality.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each step costs real time: no shrinking
    suppress_health_check=list(HealthCheck),
)

"""The run: boot, traffic, every fault in turn, one row each.

Rows share out the time of the run without gaps: a packet, a process or a session that is lost
between two faults is charged to the earlier one, never forgotten.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jsupervisor import paths
from jsupervisor.boot import make_plan
from jsupervisor.demo import fib, lab
from jsupervisor.demo.changes import Change, Stage, change_for
from jsupervisor.demo.lab import Inputs, ThirdPeer
from jsupervisor.demo.observer import View, restarted, sessions_dropped, settled
from jsupervisor.demo.rows import Row
from jsupervisor.faults.injection import FaultReport
from jsupervisor.jlaunchd.plan import MONOLITH, Architecture, Plan, with_ports
from jsupervisor.jlaunchd.policy import Backoff, RestartPolicy
from jsupervisor.testing.harness import HarnessError, unique_name
from jsupervisor.testing.router import Router
from jsupervisor.testing.traffic.testbed import Traffic

SUPERVISION: Final = ("jlaunchd", "launcher")
FAULTS: Final = ("kill", "stop")
DEFAULT_RATE: Final = 10_000.0
RUN_SECONDS: Final = 120
"""Room in the ledgers; a run takes well under 40 s."""
BASELINE_SECONDS: Final = 0.4
TRIAL_SECONDS: Final = 0.35
"""Each trial lasts at least so long after its fault, so that late effects are its own."""
SETTLE_SECONDS: Final = 3.0
WARM_UP_SECONDS: Final = 5.0
WARM_UP_WINDOW_NS: Final = 100_000_000
LOOK_SECONDS: Final = 0.01

UNLIMITED: Final = RestartPolicy(intensity=None, backoff=Backoff(initial=0.0, factor=1.0, cap=0.0))
"""Where one process, or one group, takes every fault: it must not be given up for that."""


class UnknownVictim(Exception):
    """There is no such module in vmx; the text says which there are."""


class DemoError(Exception):
    """The demo cannot tell anything; the text begins with "cannot"."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The same measurement without a fault."""

    offered: int
    lost: int
    outage_ms_by_gap: float


@dataclass(frozen=True, slots=True)
class DemoResult:
    """A whole run."""

    architecture: Architecture
    policy: str
    rate: float
    baseline: Baseline
    rows: tuple[Row, ...]
    delayed: int
    """Packets that left late because the router's port took nothing (back-pressure)."""
    duplicates: int
    seconds: float


Progress = Callable[[Row], None]


def run_demo(
    *,
    rate: float = DEFAULT_RATE,
    architecture: Architecture = "modular",
    modules: Sequence[str] | None = None,
    faults: Sequence[str] = FAULTS,
    name: str | None = None,
    home: Path | None = None,
    on_row: Progress = lambda row: None,
) -> DemoResult:
    """Run the demo on vmx; about half a minute for all modules.

    `modules` are the victims, by unique name (default: all, jlaunchd and launcher). Without `name`
    the instance has a name of its own and leaves nothing, else its logs stay.

    Raises UnknownVictim for a module that vmx does not have, and DemoError, HarnessError, BootError or
    OperatorError when there is nothing to tell.
    """
    started = time.monotonic()
    instance = paths.instance(name or unique_name("demo"), home)
    plan = _plan(architecture, lab.ports(instance.run_dir))
    chosen = _victims(plan, modules)
    plan = with_ports(plan, lab.ports(instance.run_dir))
    try:
        with Router.boot(
            plan=plan,
            name=instance.name,
            home=instance.home.parent,
            config=lab.config(Inputs()),
            wait=False,
        ) as router:
            router.wait_ready()
            with _traffic(router, rate) as (traffic, third):
                run = _Run(router, traffic, Stage(router, third, Inputs()))
                baseline = run.baseline()
                rows = []
                for module in chosen:
                    for fault in faults:
                        row = run.trial(module, fault)
                        rows.append(row)
                        on_row(row)
                traffic.stop()
                totals = traffic.totals()
    finally:
        if name is None:
            shutil.rmtree(instance.home, ignore_errors=True)
    return DemoResult(
        architecture=architecture,
        policy=plan.policy if architecture == "modular" else "unlimited",
        rate=rate,
        baseline=baseline,
        rows=tuple(rows),
        delayed=totals.delayed,
        duplicates=totals.duplicates,
        seconds=time.monotonic() - started,
    )


def _plan(architecture: Architecture, ports: Mapping[str, str]) -> Plan:
    plan = make_plan("vmx", ports=ports, architecture=architecture)
    if architecture != "modular":
        programs = tuple(replace(program, policy=UNLIMITED) for program in plan.programs)
        groups = tuple(replace(group, policy=UNLIMITED) for group in plan.groups)
        plan = replace(plan, programs=programs, groups=groups)
    return plan


def _victims(plan: Plan, modules: Sequence[str] | None) -> list[str]:
    """All modules in the plan's order, then those that supervise them; or those chosen."""
    known = [program.name for program in plan.parts or plan.programs] + list(SUPERVISION)
    for name in modules or ():
        if name not in known:
            raise UnknownVictim(f"cannot hit {name!r}: vmx has {', '.join(known)}")
    return list(modules or known)


@contextmanager
def _traffic(router: Router, rate: float) -> Iterator[tuple[Traffic, ThirdPeer]]:
    folder = router.instance.run_dir
    third = ThirdPeer(folder)
    try:
        third.attach()
        with Traffic(lab.hosts(folder, rate, RUN_SECONDS)) as traffic:
            traffic.wait_ready(10.0)
            yield traffic, third
    finally:
        third.detach()


class _Run:
    """One run's state: the view at the end of the last row is the next one's beginning."""

    def __init__(self, router: Router, traffic: Traffic, stage: Stage) -> None:
        self._router = router
        self._traffic = traffic
        self._stage = stage
        parts = [part.name for part in router.plan.parts]
        self._host = dict.fromkeys(parts, MONOLITH)
        self._view = self._look()
        self._fib = self._forwarding_table()
        self._begin_ns = 0
        self._dropped = 0

    # -- looking -----------------------------------------------------------------------

    def _look(self) -> View:
        found = self._router.processes()
        processes = {part: found[host] for part, host in self._host.items() if host in found}
        processes |= {name: each for name, each in found.items() if name != MONOLITH}
        return View(processes, tuple(self._router.sessions()))

    def _look_until_settled(self) -> tuple[View, list[str]]:
        deadline = time.monotonic() + SETTLE_SECONDS
        while not settled(view := self._look()):
            if time.monotonic() > deadline:
                open_ = [each for each in view.sessions if not (each.connected and each.synced)]
                return view, [
                    f"{each.consumer} has no session with {each.producer} ({each.topic})"
                    for each in open_
                ]
            time.sleep(LOOK_SECONDS)
        return view, []

    def _forwarding_table(self) -> frozenset[fib.Entry]:
        return fib.parse(self._router.show("pfectl0", "forwarding-table-information"))

    # -- trials ------------------------------------------------------------------------

    def baseline(self) -> Baseline:
        """Traffic without a fault; raises DemoError when even that loses packets."""
        self._warm_up()
        begin = time.monotonic_ns()
        time.sleep(BASELINE_SECONDS)
        end = time.monotonic_ns()
        self._traffic.settle(end, SETTLE_SECONDS)
        loss = self._traffic.loss(begin, end)
        if loss.lost:
            raise DemoError(
                f"cannot measure: {loss.lost} of {loss.offered} packets were lost before any fault;"
                " is the machine overloaded? A lower --rate may help"
            )
        self._begin_ns = end
        self._view, _ = self._look_until_settled()
        self._fib = self._forwarding_table()
        return Baseline(loss.offered, loss.lost, loss.outage_ms_by_gap)

    def _warm_up(self) -> None:
        """Traffic until nothing is lost any more: ports come up, routes and neighbours are learnt."""
        begin = self._traffic.start()
        deadline = time.monotonic() + WARM_UP_SECONDS
        while time.monotonic() < deadline:
            end = begin + WARM_UP_WINDOW_NS
            if (
                self._traffic.settle(end, WARM_UP_SECONDS)
                and not self._traffic.loss(begin, end).lost
            ):
                return
            begin = end
        raise DemoError(
            f"cannot measure: packets were still lost {WARM_UP_SECONDS:g} s after the start of traffic;"
            " is the machine overloaded? A lower --rate may help"
        )

    def trial(self, module: str, fault: str) -> Row:
        """Inject one fault and account for everything up to the next."""
        change = change_for(module)
        problems: list[str] = []
        target = self._host.get(module, module)
        with self._router.injection(fault, target) as injection:
            injection.deliver()
            delivered = time.monotonic()
            problems += self._flip(change)
            report = injection.finish()
        if not report.recovered:
            problems.append(report.why)
        problems += self._await_change(change)
        problems += self._look_until_settled()[1]
        time.sleep(max(0.0, delivered + TRIAL_SECONDS - time.monotonic()))
        return self._row(module, report, problems)

    def _flip(self, change: Change | None) -> list[str]:
        if change is None:
            return []
        try:
            change.flip(self._stage)
        except (HarnessError, OSError) as error:
            return [f"cannot change the input: {error}"]
        return []

    def _await_change(self, change: Change | None) -> list[str]:
        """Wait until the forwarding table differs as it should; what is wrong with it then."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                now = self._forwarding_table()
            except HarnessError as error:
                return [str(error)]
            difference = fib.compare(self._fib, now)
            if change is None:
                wrong = [f"{each} changed" for each in difference.destinations]
            else:
                wrong = fib.problems(difference, change.prefix, change.present(self._stage))
            if not wrong or time.monotonic() > deadline:
                self._fib = now
                return wrong
            time.sleep(LOOK_SECONDS)

    def _row(self, module: str, report: FaultReport, problems: list[str]) -> Row:
        end = time.monotonic_ns()
        if not self._traffic.settle(end, SETTLE_SECONDS):
            problems.append("some flow stays silent")
        view = self._look()
        loss = self._traffic.loss(self._begin_ns, end)
        dropped = self._traffic.socket_dropped() - self._dropped
        others = restarted(self._view, view, {module})
        sessions = sessions_dropped(self._view, view, {module})
        disturbances = [f"restarted: {', '.join(others)}"] if others else []
        disturbances += [f"session dropped: {name}" for name in sessions]
        self._view, self._begin_ns, self._dropped = view, end, self._dropped + dropped
        return Row(
            module=module,
            fault=report.fault,
            detected_ms=report.detected_ms,
            ready_ms=report.ready_ms,
            offered=loss.offered,
            lost=max(0, loss.lost - dropped),
            socket_dropped=dropped,
            others_restarted=len(others),
            rpc_sessions_dropped=len(sessions),
            outage_ms_by_loss=loss.outage_ms_by_loss,
            outage_ms_by_gap=loss.outage_ms_by_gap,
            problems=tuple(problems),
            disturbances=tuple(disturbances),
        )

"""Deliver one fault, prove that it took effect, follow the recovery, report.

    report = inject(instance, "kill", "rpd")
    assert report.effective and report.ready_ms is not None

`Injection` is the same in steps, for whoever wants to do something while the victim is dead.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from jsupervisor.faults.fault import Fault, Observation
from jsupervisor.faults.recovery import Recovery, read
from jsupervisor.faults.registry import parse
from jsupervisor.initproto import Json
from jsupervisor.observer import processes
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.observer.processes import GONE, ProcessId, Sample
from jsupervisor.paths import Instance

STEP_SECONDS: Final = 0.002
STOPPED_SECONDS: Final = 0.05
TIMEOUT_SECONDS: Final = 15.0


class FaultError(Exception):
    """A fault cannot be delivered at all; the text begins with "cannot"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """What one fault did. Times in ms since init delivered it; None where it never came to that."""

    module: str
    fault: str
    pid: int
    start_time: int
    incarnation: int
    effective: bool
    """Did an observer see the effect?"""
    evidence: str
    detected_ms: float | None
    detected_by: str
    serving_ms: float | None
    ready_ms: float | None
    healthy: bool | None
    """The successor answered a health check with SERVING; None where there is no gRPC."""
    new_pid: int | None
    new_incarnation: int | None
    why: str
    """What is missing; empty when nothing is."""

    @property
    def recovered(self) -> bool:
        """Did the fault take effect, and is the successor ready?"""
        return self.effective and not self.why

    def lines(self) -> list[str]:
        """The report for people."""
        victim = f"{self.module} (pid {self.pid}, incarnation {self.incarnation})"
        lines = [f"{self.fault} into {victim}: {self.evidence or 'no effect was seen'}"]
        if self.detected_ms is not None:
            lines.append(f"detected after {self.detected_ms:.1f} ms ({self.detected_by})")
        if self.serving_ms is not None:
            lines.append(f"serving after {self.serving_ms:.1f} ms")
        if self.ready_ms is not None:
            lines.append(
                f"ready after {self.ready_ms:.1f} ms"
                f" (pid {self.new_pid}, incarnation {self.new_incarnation})"
            )
        if self.why and self.evidence:
            lines.append(f"failed: {self.why}")
        return lines

    def to_json(self) -> dict[str, Json]:
        """The report as `jsupervisor fault inject --json` prints it."""
        return {
            "module": self.module,
            "fault": self.fault,
            "pid": self.pid,
            "start_time": self.start_time,
            "incarnation": self.incarnation,
            "effective": self.effective,
            "evidence": self.evidence,
            "detected_ms": self.detected_ms,
            "detected_by": self.detected_by,
            "serving_ms": self.serving_ms,
            "ready_ms": self.ready_ms,
            "healthy": self.healthy,
            "new_pid": self.new_pid,
            "new_incarnation": self.new_incarnation,
            "why": self.why,
        }


def inject(
    instance: Instance, kind: str, module: str, *, timeout: float = TIMEOUT_SECONDS
) -> FaultReport:
    """Inject and follow to the end, `timeout` seconds at most.

    `module` is a unique name, or jlaunchd, launcher or init. Raises ValueError for an unknown kind,
    OperatorError when no init answers or it refuses, FaultError for an unknown module.
    """
    with Injection(instance, kind, module, timeout=timeout) as injection:
        injection.deliver()
        return injection.finish()


class Injection:
    """One fault on its way."""

    def __init__(
        self, instance: Instance, kind: str, module: str, *, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        """Look at the victim; nothing is sent yet. Raises as `inject` does."""
        self.fault: Final[Fault] = parse(kind)
        self.module: Final = module
        self._instance = instance
        self._timeout = timeout
        self._watcher = Watcher(instance)
        try:
            self._operator = Operator(instance)
        except OperatorError:
            self._watcher.close()
            raise
        try:
            self.victim, self.incarnation = self._find()
        except BaseException:
            self.close()
            raise
        self._everything: list[ProcessId] = []
        self._before = processes.sample(self.victim)
        self._mark = 0
        self._deadline = 0.0
        self._evidence = ""
        self._turns, self._turned = 0, 0.0
        self.delivered_ns = 0

    def _find(self) -> tuple[ProcessId, int]:
        status = self._operator.status()
        if self.module == "init":
            pid: int | None = status.init_pid
            incarnation = 1
        else:
            try:
                known = status.find(self.module)
            except KeyError:
                names = ["init", "jlaunchd", "launcher", *(each.name for each in status.modules)]
                raise FaultError(
                    f"cannot inject {self.fault.kind} into {self.module}: there is no such module;"
                    f" there are {', '.join(names)}"
                ) from None
            pid, incarnation = known.pid, known.incarnation
        victim = processes.identify(pid) if pid else None
        if victim is None:
            raise FaultError(
                f"cannot inject {self.fault.kind} into {self.module}: it is not running;"
                f" see: jsupervisor status --name {self._instance.name}"
            )
        return victim, incarnation

    def deliver(self) -> None:
        """Have init send it; raises OperatorError when init refuses."""
        if self.module == "init":
            self._everything = processes.descendants(self.victim.pid)
        self._mark = self._watcher.mark()
        self._deadline = time.monotonic() + self._timeout
        delivery = self._operator.inject(self.module, self.fault.kind)
        self.delivered_ns = delivery.monotonic_ns
        self._look()
        if not self.fault.ends:
            # The caller may be busy for longer than a stopped victim is left alone.
            until = time.monotonic() + STOPPED_SECONDS
            while not self._evidence and time.monotonic() < until:
                self.step()

    @property
    def recovery(self) -> Recovery:
        """What is known of the recovery so far."""
        return read(self._watcher.history.since(self._mark), self.module, self.incarnation)

    def step(self, wait: float = STEP_SECONDS) -> bool:
        """Look again, after `wait` seconds or the next event; is everything known?"""
        if not self._watcher.ended:
            self._watcher.wait_next(wait)
        else:
            time.sleep(wait)
        self._look()
        if self.module == "init":
            return bool(self._evidence) and self._all_dead()
        return bool(self._evidence) and self.recovery.over

    def wait_detected(self) -> bool:
        """Wait until the supervisor has noticed; False when the deadline passed first."""
        while not self.recovery.detected_ns and time.monotonic() < self._deadline:
            self.step()
        return self.recovery.detected_ns != 0

    def finish(self) -> FaultReport:
        """Follow until the successor is ready, or the deadline; the report."""
        while not self.step() and time.monotonic() < self._deadline:
            pass
        return self._report_of_init() if self.module == "init" else self._report()

    def _look(self) -> None:
        if self._evidence:
            return
        now = processes.sample(self.victim)
        cause = self.recovery.exit_cause
        if self.module == "init" and not now.alive:
            now, cause = Sample(GONE, 0.0), self._cause_of_init()
        observation = Observation(
            pid=self.victim.pid,
            before=self._before,
            now=now,
            exit_cause=cause,
            channels=processes.wait_channels(self.victim),
            still_seconds=self._still(),
        )
        self._evidence = self.fault.evidence(observation)

    def _still(self) -> float:
        turns, now = processes.turns(self.victim), time.monotonic()
        if turns != self._turns:
            self._turns, self._turned = turns, now
        return now - self._turned

    def _cause_of_init(self) -> str:
        """Nobody reports init's exit status: its parent has it. The end is proof enough."""
        return {
            "kill": "signal:SIGKILL",
            "segv": "signal:SIGSEGV",
            "abort": "signal:SIGABRT",
        }.get(self.fault.kind, "")

    def _all_dead(self) -> bool:
        return not any(processes.alive(process) for process in self._everything)

    def _report_of_init(self) -> FaultReport:
        left = [process.pid for process in self._everything if processes.alive(process)]
        why = f"still running: {left}" if left else ""
        evidence = self._evidence
        if evidence and not left:
            evidence += f"; all {len(self._everything)} processes of the instance are gone"
        return self._make(Recovery(), None, None, evidence, why)

    def _report(self) -> FaultReport:
        recovery = self.recovery
        if not recovery.ready_ns:
            seconds = self._timeout
            why = recovery.held or f"no ready successor within {seconds:g} s"
            return self._make(recovery, None, None, self._evidence, why)
        new = self._operator.status().find(self.module)
        healthy = self._healthy(new.socket)
        why = ""
        if new.pid is None or new.incarnation <= self.incarnation:
            why = "the successor is gone again"
        elif healthy is False:
            why = "the successor does not answer a health check"
        return self._make(recovery, new.pid, healthy, self._evidence, why)

    def _healthy(self, socket: str | None) -> bool | None:
        path = Path(socket) if socket else self._instance.socket(self.module)
        if socket is None and not path.exists():
            return None
        from jsupervisor.faults.health import serving  # grpc: only where it is needed

        return serving(path)

    def _make(
        self,
        recovery: Recovery,
        new_pid: int | None,
        healthy: bool | None,
        evidence: str,
        why: str,
    ) -> FaultReport:
        if not evidence:
            why = why or "no effect was seen"
        return FaultReport(
            module=self.module,
            fault=self.fault.kind,
            pid=self.victim.pid,
            start_time=self.victim.start_time,
            incarnation=self.incarnation,
            effective=bool(evidence),
            evidence=evidence,
            detected_ms=self._since(recovery.detected_ns),
            detected_by=recovery.detected_by,
            serving_ms=self._since(recovery.serving_ns),
            ready_ms=self._since(recovery.ready_ns),
            healthy=healthy,
            new_pid=new_pid,
            new_incarnation=recovery.incarnation or None,
            why=why,
        )

    def _since(self, moment_ns: int) -> float | None:
        return round((moment_ns - self.delivered_ns) / 1e6, 3) if moment_ns else None

    def close(self) -> None:
        """Close the connections to init."""
        self._watcher.close()
        self._operator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

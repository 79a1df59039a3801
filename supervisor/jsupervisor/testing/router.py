"""A router of real processes for a test: boot it, break it, look at it, leave nothing behind.

with Router.boot(profile="vmx", ports={"ge-0/0/0": "unix:/tmp/left"}) as router:
    before = router.processes()
    report = router.inject("kill", "rpd")
    assert report.recovered
    assert before["dcd"] == router.processes()["dcd"]
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from jsupervisor import boot as booting
from jsupervisor.faults.injection import FaultReport, Injection
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Architecture, Plan
from jsupervisor.jlaunchd.policy import RestartPolicy
from jsupervisor.observer import processes
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.observer.processes import ProcessId
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.paths import Instance
from jsupervisor.testing.calls import Calls
from jsupervisor.testing.harness import HarnessError, leftovers, tail, unique_name
from jsupervisor.testing.sessions import Session

BOOT_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0
CALL_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.002


class Router:
    """One running instance. Made by `boot`; every wait has a deadline."""

    def __init__(self, booted: booting.Booted) -> None:
        self._booted = booted
        self._calls = Calls(booted.instance)
        self._watcher: Watcher | None = None
        self._known: set[ProcessId] = set()

    @classmethod
    @contextmanager
    def boot(
        cls,
        profile: str = "vmx",
        *,
        ports: Mapping[str, str] | None = None,
        config: str | None = None,
        architecture: Architecture = "modular",
        policy: str | None = None,
        plan: Plan | None = None,
        name: str | None = None,
        home: Path | None = None,
        wait: bool = True,
        timeout: float = BOOT_SECONDS,
    ) -> Iterator[Self]:
        """Start an instance and stop it at the end of the block.

        `ports` maps interface names to port specifications, `config` is the configuration's text.
        `plan` goes instead of profile, ports, architecture and policy. Without `home` the instance
        lives in a temporary folder that is removed. With `wait`, all modules are ready on entry.

        Raises BootError or PlanError for what cannot be started, HarnessError when it does not come
        up in `timeout` seconds or when anything of it is left at the end.
        """
        temporary = None if home is not None else tempfile.mkdtemp(prefix="jsup-")
        try:
            chosen = plan or booting.make_plan(
                profile, policy=policy, ports=ports, architecture=architecture
            )
            folder = home or Path(str(temporary))
            booted = booting.boot(chosen, name=name or unique_name(), home=folder, config=config)
            router = cls(booted)
            try:
                router._connect(timeout)
                if wait:
                    router.wait_ready(timeout)
                yield router
            finally:
                router.stop()
            router.check_leftovers()
        finally:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)

    def _connect(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while self._watcher is None:
            self._require_init("start")
            try:
                self._watcher = Watcher(self.instance)
            except OperatorError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)

    def _require_init(self, what: str) -> None:
        status = self._booted.process.poll()
        if status is not None:
            why = tail(self.instance.log_dir / "init.stderr")
            raise HarnessError(f"cannot {what}: init ended with status {status}\n{why}".rstrip())

    # -- what it is --------------------------------------------------------------------

    @property
    def instance(self) -> Instance:
        """Its folders and sockets."""
        return self._booted.instance

    @property
    def plan(self) -> Plan:
        """What it was started from."""
        return self._booted.plan

    @property
    def init(self) -> subprocess.Popen[bytes]:
        """init's process; killing it is a power failure."""
        return self._booted.process

    @property
    def watcher(self) -> Watcher:
        """Its events since the boot."""
        if self._watcher is None:
            raise HarnessError("cannot watch a router that is not running")
        return self._watcher

    def status(self) -> InstanceStatus:
        """What init says of all modules; raises OperatorError when init is gone."""
        with Operator(self.instance) as operator:
            return operator.status()

    def phases(self, module: str) -> dict[str, int]:
        """When its process reached which step of its start: CLOCK_MONOTONIC in ns."""
        with Operator(self.instance) as operator:
            return operator.phases(module)

    def processes(self) -> dict[str, ProcessId]:
        """Every process by name (modules, jlaunchd, launcher), with start times from /proc.

        A module that has no process is not listed.
        """
        status = self.status()
        found = {}
        for known in (status.jlaunchd, status.launcher, *status.modules):
            process = processes.identify(known.pid) if known.pid else None
            if process is not None:
                found[known.name] = process
        self._known.update(found.values())
        return found

    def everything(self) -> list[ProcessId]:
        """init and all its descendants, named or not."""
        found = processes.descendants(self.init.pid)
        self._known.update(found)
        return found

    # -- events ------------------------------------------------------------------------

    def mark(self) -> int:
        """A place in the event history; give it to `wait_for`."""
        return self.watcher.mark()

    def events(self, since: int = 0) -> list[EventRecord]:
        """All events from a mark on, in order."""
        self.watcher.pump()
        return list(self.watcher.history.since(since))

    def wait_for(
        self, mark: int, name: str | None, *events: str, timeout: float = BOOT_SECONDS
    ) -> EventRecord:
        """The first of `events` about `name` (None: any) since `mark`; raises TimeoutError.

        mark = router.mark()
        router.restart("rpd")
        router.wait_for(mark, "rpd", "ready")
        """
        return self.watcher.wait_for(mark, name, *events, timeout=timeout)

    def wait_ready(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until every module is up; raises HarnessError that names those that are not."""
        deadline = time.monotonic() + timeout
        while not (status := self.status()).all_up:
            self._require_init("start")
            left = deadline - time.monotonic()
            held = [module.name for module in status.modules if module.state == "failed"]
            if left <= 0 or held:
                raise HarnessError(self._why_not_ready(status))
            self.watcher.wait_next(min(left, 0.25))

    def _why_not_ready(self, status: InstanceStatus) -> str:
        missing = [module for module in status.modules if module.state != "up"]
        lines = [f"cannot bring up {', '.join(each.name for each in missing) or 'any module'}"]
        for module in (*missing, status.launcher, status.jlaunchd):
            said = tail(self.instance.log_dir / f"{module.name}.stderr")
            if said or module in missing:
                lines.append(f"{module.name}: {module.state} {module.last_cause}\n{said}".rstrip())
        return "\n".join(lines)

    # -- what to do to it --------------------------------------------------------------

    def inject(self, kind: str, module: str, *, timeout: float = 15.0) -> FaultReport:
        """Inject a fault and follow it until the successor is ready."""
        with self.injection(kind, module, timeout=timeout) as injection:
            injection.deliver()
            return injection.finish()

    def injection(self, kind: str, module: str, *, timeout: float = 15.0) -> Injection:
        """The same in steps, to do something while the victim is dead."""
        self.everything()
        return Injection(self.instance, kind, module, timeout=timeout)

    def restart(self, module: str, how: str = "gracefully", *, timeout: float = 20.0) -> int:
        """Restart in Junos' manner: gracefully, immediately, soft or abort. The pid then."""
        return self._calls.restart(module, how, timeout)

    def up(self, module: str, *, timeout: float = CALL_SECONDS) -> None:
        """Want a module to run, also one that was given up; it may not run yet when this returns."""
        self._calls.start(module, timeout)

    def down(self, module: str, *, timeout: float = CALL_SECONDS) -> None:
        """Want a module not to run; it may run still when this returns."""
        self._calls.stop(module, timeout)

    def clear(self, module: str, *, timeout: float = CALL_SECONDS) -> None:
        """Let a module go on that a fault stopped, and forget its failures."""
        self._calls.clear(module, timeout)

    def set_policy(
        self, policy: str | RestartPolicy, target: str = "", *, timeout: float = CALL_SECONDS
    ) -> list[str]:
        """Put a module or a group (none: everything) under a policy; the modules it judges."""
        return self._calls.set_policy(policy, target, timeout)

    def reload(self, *, timeout: float = CALL_SECONDS) -> None:
        """Read the file of the plan again."""
        self._calls.reload(timeout)

    def load_config(self, text: str, *, timeout: float = CALL_SECONDS) -> int:
        """Replace the configuration, or nothing; raises HarnessError with what is wrong."""
        return self._calls.load(text, timeout)

    def show(
        self, module: str, what: str, *, timeout: float = CALL_SECONDS, **arguments: str
    ) -> Json:
        """Operational data of a module, e.g. show("rpd", "route-information")."""
        return self._calls.show(module, what, arguments, timeout)

    def sessions(self, *, timeout: float = CALL_SECONDS) -> list[Session]:
        """Every feed session of every module that speaks gRPC, by the clients' counters.

        Raises HarnessError when one of them does not answer.
        """
        found: list[Session] = []
        for program in self.plan.parts or self.plan.programs:
            if program.stage == "full":
                found.extend(self._calls.sessions(program.name, timeout))
        return found

    # -- the end -----------------------------------------------------------------------

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Stop it in order, or by force when `timeout` seconds are not enough; idempotent."""
        self.everything()
        self._calls.close()
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        self._booted.let_go()
        try:
            self.init.wait(timeout)
        except subprocess.TimeoutExpired:
            self.init.kill()
            self.init.wait()
            raise HarnessError(
                f"cannot stop {self.instance.name} in order within {timeout:g} s: killed"
            ) from None

    def check_leftovers(self, timeout: float = 2.0) -> None:
        """Raise HarnessError when a process or a file in its run folder is left."""
        deadline = time.monotonic() + timeout
        while left := leftovers(self.instance, self._known):
            # The kernel needs a moment to take down what init's death killed.
            if time.monotonic() > deadline:
                raise HarnessError(f"cannot leave {self.instance.name}: left behind {left}")
            time.sleep(LOOK_SECONDS)

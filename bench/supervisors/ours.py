"""Ours: `jsupervisor supervise FILE` over the same programs, and the same daemon as a module.

The peers execute an interpreter for a Python daemon. A module of ours is forked by the launcher, which
has imported gRPC and trio before: the tables say so wherever the two stand side by side.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from bench.supervisors.board import Stamp, Stamps
from bench.supervisors.system import Site, System, write

from jsupervisor import __version__, boot, paths
from jsupervisor.jlaunchd.plan import Heartbeat
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.paths import Instance

NAME: Final = "bench"
START_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.005
BEAT: Final = f"{Heartbeat().interval:g} s x {Heartbeat().misses}"
"""What modules have by default."""


class Ours(System):
    """What any instance of ours has: folders, init's socket, three kinds of processes."""

    @classmethod
    def version(cls) -> str:
        """Ours."""
        return __version__

    def environment(self) -> Mapping[str, str]:
        """Its folders inside the site's."""
        run = self.site.folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        home = str(self.site.folder / "home")
        return {"JSUPERVISOR_HOME": home, "XDG_RUNTIME_DIR": str(run)}

    @property
    def instance(self) -> Instance:
        """Its folders and sockets."""
        return paths.instance(NAME, self.site.folder / "home")

    def status(self) -> InstanceStatus:
        """What init says; raises OperatorError."""
        with Operator(self.instance) as operator:
            return operator.status()

    def watcher(self) -> Watcher:
        """Its events since the boot, as soon as init can be asked; raises OperatorError."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return Watcher(self.instance)
            except OperatorError as error:
                if self.refused() or time.monotonic() > deadline:
                    raise OperatorError(f"{error} | {self.output()}") from error
                time.sleep(LOOK_SECONDS)

    def output(self) -> str:
        """The last words of the command, and of each of our processes that has written any."""
        said = [super().output()]
        for path in sorted(self.instance.log_dir.glob("*.stderr")):
            lines = path.read_text(errors="replace").splitlines()[-2:]
            said += [f"{path.stem}: {line}" for line in lines]
        return " | ".join(line for line in said if line)

    @property
    def root(self) -> int:
        """init: whoever has started it may be gone."""
        return self.status().init_pid

    def victim(self) -> int:
        """jlaunchd: what decides. init, which only keeps, is another experiment."""
        return self.status().jlaunchd.pid or 0


class Supervise(Ours):
    """Programs that are not ours, from a file, with the readiness descriptor of s6."""

    policy: ClassVar[str] = "never-give-up, readiness fd:3, heartbeats off"
    ready: ClassVar[str] = "fd:3"
    heartbeat: ClassVar[float] = 0.0
    more: ClassVar[tuple[str, ...]] = ()
    """Further arguments of the command."""

    def configure(self) -> None:
        """One file: a table for each program, one group for the policy."""
        lines = []
        for work in self.site.works:
            lines += [
                f"[program.{work.name}]",
                f"command = {json.dumps(list(work.command))}",
                'restart = "permanent"',
                f'readiness = "{self.ready}"',
            ]
            if self.heartbeat:
                lines.append(f"heartbeat = {self.heartbeat}")
        members = json.dumps([work.name for work in self.site.works])
        lines += ["[group.all]", f"members = {members}", 'policy = "never-give-up"']
        write(self.site.folder / "supervise.toml", "\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        """The command as a service script would give it."""
        main = "from jsupervisor.cli.main import main; main()"
        config = str(self.site.folder / "supervise.toml")
        order = (sys.executable, "-c", main, "supervise", config, "--name", NAME, "--detach")
        return (*order, *self.more)


class SuperviseQuiet(Supervise):
    """With the pings between init and jlaunchd off, too: then init wakes up for events alone."""

    policy: ClassVar[str] = "never-give-up, readiness fd:3, --no-heartbeats"
    more: ClassVar[tuple[str, ...]] = ("--no-heartbeats",)


class SuperviseInit(Supervise):
    """The same, when it is init that dies: a power failure, from which nothing is to be left."""

    def victim(self) -> int:
        """init."""
        return self.root


class SuperviseBeating(Supervise):
    """With heartbeats, as systemd has them: each program says WATCHDOG=1 once a second."""

    policy: ClassVar[str] = "never-give-up, readiness notify, heartbeat 1 s"
    ready: ClassVar[str] = "notify"
    beat_ms: ClassVar[int] = 1000
    heartbeat: ClassVar[float] = 1.0


class SuperviseWatched(Supervise):
    """With quick heartbeats, so that a hang is replaced within a second."""

    policy: ClassVar[str] = "never-give-up, readiness notify, heartbeat 0.25 s"
    ready: ClassVar[str] = "notify"
    beat_ms: ClassVar[int] = 125
    heartbeat: ClassVar[float] = 0.25


class Ready(Stamps):
    """Readiness as the modules report it to init: each report has its own time of CLOCK_MONOTONIC."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self._watcher = watcher
        self._seen = 0

    def read(self, timeout: float) -> list[Stamp]:
        """The new `ready` events; the pid is not known from them."""
        self._watcher.wait_next(timeout)
        records = list(self._watcher.history.since(self._seen))
        self._seen += len(records)
        return [
            Stamp(int(record.name.removeprefix("w")), 0, record.monotonic_ns)
            for record in records
            if record.event == "ready" and record.name[1:].isdigit()
        ]


class Module(Ours):
    """The runtime's own daemon: a gRPC server under trio, forked from the launcher.

    It serves health, reflection and the runtime's own calls on its two unix sockets.
    """

    policy: ClassVar[str] = f"never-give-up, forked by the launcher, heartbeat {BEAT}"
    spare: ClassVar[bool] = False

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._booted: boot.Booted | None = None

    def configure(self) -> None:
        """A profile of modules that do nothing but serve, and eventd, to which they log."""
        lines = ["[profile]", 'name = "bench"', 'policy = "never-give-up"']
        lines += ["[program.eventd]", 'entry = "jdaemons.eventd.daemon:Eventd"']
        for work in self.site.works:
            lines += [
                f"[program.{work.name}]",
                'executable = "bench"',
                'entry = "jsupervisor.runtime.daemon:Daemon"',
                f"spare = {json.dumps(self.spare)}",
            ]
        write(self.site.folder / "bench.toml", "\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        """Not executed: the instance is booted from here, as the harness of the tests does."""
        return ()

    def again(self) -> int:
        """Boot it."""
        now = time.monotonic_ns()
        plan = boot.make_plan(str(self.site.folder / "bench.toml"))
        home: Path = self.site.folder / "home"
        self._booted = boot.boot(plan, name=NAME, home=home, detach=True)
        self.process: subprocess.Popen[bytes] | None = self._booted.process
        self.stamps = Ready(self.watcher())
        return now

    def supervisors(self) -> list[int]:
        """init, jlaunchd and the launcher's processes: all that are no module."""
        modules = {module.pid for module in self.status().modules}
        return [pid for pid in super().supervisors() if pid not in modules]

    def pid(self, index: int) -> int:
        """As init knows it."""
        return self.status().find(f"w{index}").pid or 0


class ModuleSpare(Module):
    """The same with a warm successor waiting."""

    policy: ClassVar[str] = f"never-give-up, warm spare, heartbeat {BEAT}"
    spare: ClassVar[bool] = True

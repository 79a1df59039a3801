"""Starting an instance: check everything first, then start init and let go.

Used by `jsupervisor start` and by the test harness alike. Nothing is changed on disk before the
whole order is known to be good, and a refused start leaves the previous state as it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jsupervisor import paths
from jsupervisor.containment.credentials import INSTANCE, PORTS
from jsupervisor.containment.ground import Ground, NoUids
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.confinement import uids
from jsupervisor.jlaunchd.listen import ListenError, check_free, parse_address
from jsupervisor.jlaunchd.plan import Architecture, Plan, without_heartbeats
from jsupervisor.jlaunchd.planfile import dump_plan
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.jlaunchd.replan import resolve, resolve_programs
from jsupervisor.paths import Instance, PathError
from jsupervisor.portcheck import PortCheckError, check_ports
from jsupervisor.runtime.rotate import HELD, begin_anew

_RUN_INIT: Final = (
    "import sys; sys.path.insert(0, sys.argv[2]);"
    "from jsupervisor.init.__main__ import main; sys.exit(main(sys.argv[1]))"
)


class BootError(Exception):
    """An instance cannot be started; the text is one line that says what, why and what to do."""


@dataclass(slots=True)
class Booted:
    """A started instance. Its modules are not up yet: ask `status`, or watch."""

    instance: Instance
    plan: Plan
    process: subprocess.Popen[bytes]
    """init."""
    lifeline: int
    """Closing it stops the instance; -1 for one on its own."""

    def let_go(self) -> None:
        """Close the lifeline: the instance stops in order."""
        if self.lifeline >= 0:
            os.close(self.lifeline)
            self.lifeline = -1


def find_profile(profile: str) -> Path:
    """The file of a profile's name or path; raises PlanError."""
    if profile.endswith(".toml") or "/" in profile:
        return Path(profile)
    from jchassis import profile_names, profile_path

    if profile not in profile_names():
        known = ", ".join(profile_names())
        raise PlanError(f"cannot use profile {profile!r}: there are {known}, or name a .toml file")
    return profile_path(profile)


def make_plan(
    profile: str,
    *,
    policy: str | None = None,
    ports: Mapping[str, str] | None = None,
    architecture: Architecture = "modular",
    metrics: str | None = None,
    heartbeats: bool = True,
) -> Plan:
    """The plan of a start order; raises PlanError. `metrics` is an address instead of the profile's."""
    plan = resolve(
        find_profile(profile), policy=policy or "", ports=ports, architecture=architecture
    )
    if not heartbeats:
        plan = without_heartbeats(plan)
    if metrics is None:
        return plan
    try:
        parse_address(metrics)
    except ListenError as error:
        raise PlanError(str(error)) from error
    return replace(plan, metrics=metrics)


def make_programs_plan(file: str, *, policy: str | None = None, heartbeats: bool = True) -> Plan:
    """The plan of a start order for a file of programs; raises PlanError."""
    plan = resolve_programs(Path(file), policy=policy or "")
    return plan if heartbeats else without_heartbeats(plan)


def boot(
    plan: Plan,
    *,
    name: str = "default",
    home: Path | None = None,
    config: str | None = None,
    detach: bool = False,
) -> Booted:
    """Start init for the plan; raises BootError or PathError.

    `config` replaces the instance's configuration (checked by the caller). Without `detach` the
    instance stops as soon as this process ends or closes `Booted.lifeline`.
    """
    require_linux()
    instance = paths.instance(name, home)
    running = f"cannot start {name!r}: it is running already (jsupervisor stop --name {name})"
    if instance.alive():
        raise BootError(running)
    try:
        check_ports(plan.ports, instance.run_dir)
        if plan.metrics:
            check_free(plan.metrics)
    except (PortCheckError, ListenError) as error:
        raise BootError(str(error)) from error
    lock = instance.lock()
    if lock is None:
        raise BootError(running)
    try:
        instance.sweep()
        instance.make()
        Ground.from_json(_containment(instance, plan)).open_passage()
        begin_anew(instance.log_dir, HELD, plan.log)
        _write(instance.home / "plan.json", dump_plan(plan))
        if config is not None:
            _write(instance.config_dir / "juniper.conf", config)
        return _start_init(instance, plan, lock, detach)
    except OSError as error:
        instance.sweep()
        raise BootError(
            f"cannot start {name!r}: {error.filename or ''}: {error.strerror}"
        ) from error
    except NoUids as error:
        instance.sweep()
        raise BootError(f"cannot start {name!r}: {error}") from error
    except PathError:
        instance.sweep()
        raise
    finally:
        os.close(lock)


def require_linux() -> None:
    """Raise BootError where jsupervisor cannot run at all."""
    if not sys.platform.startswith("linux"):
        raise BootError(f"cannot run on {sys.platform}: jsupervisor needs Linux")
    if not os.path.exists("/proc/self/stat"):
        raise BootError("cannot run without /proc: mount it (mount -t proc proc /proc)")


def _start_init(instance: Instance, plan: Plan, lock: int, detach: bool) -> Booted:
    lifeline_r, lifeline_w = (-1, -1) if detach else os.pipe2(os.O_CLOEXEC)
    order = {
        "instance": instance.name,
        "profile": plan.profile,
        "architecture": plan.architecture,
        "home": str(instance.home),
        "run_dir": str(instance.run_dir),
        "lock_fd": lock,
        "lifeline_fd": lifeline_r,
        "cgroups": plan.containment.cgroups,
        "jlaunchd": _python("jsupervisor.jlaunchd", _jlaunchd_setup(instance)),
        "launcher": _launcher(instance, plan),
        "standby": plan.standby,
        "heartbeats": plan.heartbeats,
    }
    root = str(Path(__file__).resolve().parents[1])
    stderr = os.open(
        instance.log_dir / "init.stderr",
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
        0o600,
    )
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _RUN_INIT, json.dumps(order), root],
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            pass_fds=[fd for fd in (lock, lifeline_r) if fd >= 0],
            start_new_session=True,
            cwd="/",
        )
    except OSError:
        if lifeline_w >= 0:
            os.close(lifeline_w)
        raise
    finally:
        os.close(stderr)
        if lifeline_r >= 0:
            os.close(lifeline_r)
    return Booted(instance, plan, process, lifeline_w)


def _python(module: str, setup: Mapping[str, object]) -> list[str]:
    return [sys.executable, "-P", "-m", module, json.dumps(setup)]


def _jlaunchd_setup(instance: Instance) -> dict[str, object]:
    return {
        "instance": instance.name,
        "home": str(instance.home),
        "run_dir": str(instance.run_dir),
    }


def _launcher(instance: Instance, plan: Plan) -> list[str]:
    """How the launcher is started; empty when there is nothing for it to fork."""
    if all(program.foreign for program in plan.programs):
        return []
    return _python("jsupervisor.launcher", _launcher_setup(instance, plan))


def _launcher_setup(instance: Instance, plan: Plan) -> dict[str, object]:
    programs = plan.parts or plan.programs
    lean = [p.entry.partition(":")[0] for p in programs if p.stage == "lean"]
    full = [p.entry.partition(":")[0] for p in programs if p.stage == "full"]
    return {
        "run_dir": str(instance.run_dir),
        "lean_imports": ["jsupervisor.runtime.lean", *sorted(set(lean))],
        "full_imports": ["jsupervisor.runtime.process", *sorted(set(full))],
        "containment": _containment(instance, plan),
        "blanks": True,
    }


def _containment(instance: Instance, plan: Plan) -> dict[str, Json]:
    """How the launcher is to prepare modules' uids (jsupervisor.containment.ground)."""
    numbers = uids(plan, str(instance.home))
    unix = [spec.partition(":")[2] for spec in plan.ports.values() if spec.startswith("unix:")]
    return {
        "cgroups": plan.containment.cgroups,
        "uids": {None: "auto", True: "yes", False: "no"}[plan.containment.uids],
        "lowest": min(numbers.values()),
        "highest": max(numbers.values()),
        "group": numbers[INSTANCE],
        "ports_group": numbers[PORTS],
        "home": str(instance.home),
        "run_dir": str(instance.run_dir),
        "folders": sorted({os.path.dirname(path) for path in unix}),
    }


def _write(path: Path, text: str) -> None:
    """Replace a file whole, or not at all; raises OSError."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

"""Everything killed at once, again and again: until all are ready, and who is missing or there twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from jsupervisor.boot import make_plan
from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.demo.runner import UNLIMITED
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.observer.processes import descendants
from jsupervisor.testing import Router

DAEMONS: Final = 20
CALM_SECONDS: Final = 1.0
TIMEOUT: Final = 60.0
SEED: Final = 5
WAYS: Final = ("daemons", "daemons, spares", "router", "router, spares", "router and supervision")

Measurement = Mapping[str, object]
Done = Callable[[Mapping[str, str]], int]


def storms(count: int, done: Done) -> Iterator[Measurement]:
    """For each way: `count` storms on one instance, one after the other."""
    for way in WAYS:
        known = done({"way": way})
        if known >= count:
            continue
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            plan = _plan(way, folder)
            config = lab.config(Inputs()) if way.startswith("router") else None
            router = stack.enter_context(Router.boot(plan=plan, config=config))
            draw = random.Random(SEED)
            for _ in range(known, count):
                _calm(router, plan)
                yield {"way": way, **_storm(router, plan, draw, "supervision" in way)}


def _plan(way: str, folder: Path) -> Plan:
    spare = "spares" in way
    if way.startswith("router"):
        plan = make_plan("vmx")
    else:
        path = folder / "storm.toml"
        path.write_text(profile(DAEMONS))
        plan = make_plan(str(path))
    programs = (replace(each, policy=UNLIMITED, spare=spare) for each in plan.programs)
    return replace(plan, programs=tuple(programs))


def profile(daemons: int) -> str:
    """A profile of daemons that do nothing but serve, with a collector for their logs."""
    tables = ["[profile]", 'name = "storm"']
    tables += ["[program.eventd]", 'entry = "jdaemons.eventd.daemon:Eventd"']
    for number in range(daemons - 1):
        tables += [f"[program.w{number}]", 'executable = "bench"']
        tables += ['entry = "jsupervisor.runtime.daemon:Daemon"']
    return "\n".join(tables) + "\n"


def _calm(router: Router, plan: Plan) -> None:
    """Wait until everything is there that a plan wants, and then a little."""
    deadline = time.monotonic() + TIMEOUT
    wanted = sum(program.spare for program in plan.programs)
    while time.monotonic() < deadline:
        waiting = [spare for spare in router.status().spares if spare.state == "waiting"]
        if len(waiting) == wanted and router.status().all_up:
            break
        time.sleep(0.05)
    time.sleep(CALM_SECONDS)


def _storm(router: Router, plan: Plan, draw: random.Random, everybody: bool) -> Measurement:
    status, mark = router.status(), router.mark()
    victims = [module.pid for module in status.modules if module.pid]
    if everybody:
        victims += [each.pid for each in (status.jlaunchd, status.launcher) if each.pid]
    draw.shuffle(victims)
    began = time.monotonic_ns()
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    ready: dict[str, int] = {}
    names = {program.name for program in plan.programs}
    deadline = time.monotonic() + TIMEOUT
    while ready.keys() != names and time.monotonic() < deadline:
        router.watcher.wait_next(0.2)
        ready = {
            record.name: record.monotonic_ns
            for record in router.events(mark)
            if record.event == "ready" and record.name in names and record.monotonic_ns > began
        }
    router.wait_ready(TIMEOUT)
    alive = _alive(router)
    return {
        "killed": len(victims),
        "first_ready_ms": (min(ready.values(), default=began) - began) / 1e6,
        "all_ready_ms": (max(ready.values()) - began) / 1e6 if ready.keys() == names else "",
        "lost": sum(1 for name in names if not alive[name]),
        "duplicates": sum(alive[name] - 1 for name in names if alive[name]),
    }


def _alive(router: Router) -> Counter[str]:
    """How many processes bear each name."""
    found: Counter[str] = Counter()
    for process in descendants(router.init.pid):
        with suppress(OSError):
            found[Path(f"/proc/{process.pid}/comm").read_text().strip()] += 1
    return found

"""The benchmarks: each yields rows, one for one measurement, as they are made.

They use the public harness and nothing else, so that what they measure is what a user gets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from bench import phases
from bench.hang import false_kills, hang
from bench.storms import storms

from jsupervisor.boot import make_plan
from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.demo.runner import UNLIMITED, run_demo
from jsupervisor.jlaunchd.plan import Launch, Plan
from jsupervisor.observer.processes import proportional_bytes
from jsupervisor.testing import Router

Measurement = Mapping[str, object]
Done = Callable[[Mapping[str, str]], int]
"""How many rows with these values there are already."""

PROFILE: Final = "vmx"
SPARE_SECONDS: Final = 20.0
CALM_SECONDS: Final = 0.3
"""Between two kills, so that one does not hit into the consequences of the other."""
SUPERVISION: Final = ("jlaunchd", "launcher")


def start(count: int, done: Done) -> Iterator[Measurement]:
    """From the call that starts init to the moment when the last module said ready."""
    for _ in range(done({}), count):
        begin = time.monotonic_ns()
        with Router.boot(PROFILE, config=lab.config(Inputs())) as router:
            ready = [record for record in router.events() if record.event == "ready"]
            yield {
                "profile": PROFILE,
                "modules": len(router.status().modules),
                "ready_ms": (max(record.monotonic_ns for record in ready) - begin) / 1e6,
            }


def _forgiving(plan: Plan) -> Plan:
    """Many faults in a row are the experiment here: nobody is given up for them."""
    return replace(plan, programs=tuple(replace(each, policy=UNLIMITED) for each in plan.programs))


def recovery(count: int, done: Done) -> Iterator[Measurement]:
    """From SIGKILL to detected, serving and ready again, for each module in turn."""
    plan = _forgiving(make_plan(PROFILE))
    with Router.boot(plan=plan, config=lab.config(Inputs())) as router:
        for module in (*(program.name for program in plan.programs), *SUPERVISION):
            for _ in range(done({"module": module}), count):
                report = router.inject("kill", module)
                router.wait_ready()
                yield {
                    "module": module,
                    "effective": report.effective,
                    "detected_ms": report.detected_ms,
                    "serving_ms": report.serving_ms,
                    "ready_ms": report.ready_ms,
                }


def memory(count: int, done: Done) -> Iterator[Measurement]:
    """Memory of all processes of a router that is up, shared pages counted once (PSS)."""
    for _ in range(done({}), count):
        with Router.boot(PROFILE, config=lab.config(Inputs())) as router:
            everything = router.everything()
            yield {
                "profile": PROFILE,
                "processes": len(everything),
                "pss_mb": proportional_bytes(everything) / 1e6,
            }


def demo(count: int, done: Done) -> Iterator[Measurement]:
    """The demo's rows, and how long the whole of it took."""
    modules = len(make_plan(PROFILE).programs) + len(SUPERVISION)
    for _ in range(done({}) // (modules * 2), count):
        result = run_demo()
        for row in result.rows:
            yield {
                **row.to_json(),
                "failed": row.failed,
                "disturbed": row.disturbed,
                "run_seconds": result.seconds,
            }


def launch(count: int, done: Done) -> Iterator[Measurement]:
    """The same module forked by the launcher, and as a fresh interpreter."""
    ways: tuple[Launch, ...] = ("fork", "exec")
    for way in ways:
        plan = make_plan(PROFILE)
        programs = (replace(plan.program("alarmd"), launch=way, requires=()),)
        with Router.boot(plan=_forgiving(replace(plan, programs=programs))) as router:
            for _ in range(done({"launch": way}), count):
                report = router.inject("kill", "alarmd")
                yield {
                    "launch": way,
                    "module": "alarmd",
                    "effective": report.effective,
                    "serving_ms": report.serving_ms,
                    "ready_ms": report.ready_ms,
                }


def spare(count: int, done: Done) -> Iterator[Measurement]:
    """Kill to ready for each module in turn, in a router with warm spares and in one without."""
    plan = _forgiving(make_plan(PROFILE))
    with ExitStack() as stack:
        routers = {}
        for way in ("spare", "plain"):
            programs = tuple(replace(each, spare=way == "spare") for each in plan.programs)
            booted = Router.boot(plan=replace(plan, programs=programs), config=lab.config(Inputs()))
            routers[way] = stack.enter_context(booted)
        for number in range(count):
            for module in (program.name for program in plan.programs):
                for way, router in routers.items():
                    if number >= done({"way": way, "module": module}):
                        yield {"way": way, "module": module, **_kill_calmly(router, module, way)}


def _kill_calmly(router: Router, module: str, way: str) -> Measurement:
    waiting = _await_spare(router, module) if way == "spare" else None
    time.sleep(CALM_SECONDS)
    report = router.inject("kill", module)
    router.wait_ready()
    return {
        "effective": report.effective,
        "spare_used": waiting is not None and report.new_pid == waiting,
        "serving_ms": report.serving_ms,
        "ready_ms": report.ready_ms,
    }


def _await_spare(router: Router, module: str) -> int | None:
    """The pid of a module's spare, once it waits; None when that takes too long."""
    deadline = time.monotonic() + SPARE_SECONDS
    while time.monotonic() < deadline:
        for known in router.status().spares:
            if known.name == module and known.state == "waiting":
                return known.pid
        time.sleep(0.02)
    return None


def restart_phases(count: int, done: Done) -> Iterator[Measurement]:
    """Where the time of a restart goes, for modules with and without feeds, and the engine."""
    plan = _forgiving(make_plan(PROFILE))
    with Router.boot(plan=plan, config=lab.config(Inputs())) as router:
        for number in range(count):
            for module in ("alarmd", "rpd", "pfe0"):
                if number >= done({"module": module}):
                    time.sleep(CALM_SECONDS)
                    yield {"module": module, **phases.take(router, module)}


BENCHMARKS: Final[Mapping[str, Callable[[int, Done], Iterator[Measurement]]]] = {
    "start": start,
    "recovery": recovery,
    "memory": memory,
    "demo": demo,
    "launch": launch,
    "restart-phases": restart_phases,
    "spare": spare,
    "storms": storms,
    "hang": hang,
    "false-kills": false_kills,
}
COUNTS: Final[Mapping[str, int]] = {
    "start": 20,
    "recovery": 30,
    "memory": 3,
    "demo": 3,
    "launch": 30,
    "restart-phases": 15,
    "spare": 30,
    "storms": 20,
    "hang": 20,
    "false-kills": 30,
}

"""How soon a hang is noticed and made good, and whether anybody is ever taken for hanging who is not.

`hang`: every kind of hang into a daemon, into an engine, and into those who supervise.
`false-kills`: every processor of the machine has two busy loops to run, each in a session of its own (the
kernel shares out processors by session first), every other one of them nice. That goes on in slices of 20 s,
one row each. After each slice a module is stopped, under the same load: that one must be found.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from jsupervisor.boot import make_plan
from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.demo.runner import UNLIMITED
from jsupervisor.faults.registry import FAULTS
from jsupervisor.testing import Router

Measurement = Mapping[str, object]
Done = Callable[[Mapping[str, str]], int]

PROFILE: Final = "vmx"
VICTIMS: Final = {
    "rpd": "daemon",
    "pfe0": "engine",
    "jlaunchd": "supervisor",
    "launcher": "launcher",
}
KINDS: Final = tuple(kind for kind, fault in FAULTS.items() if not fault.ends)
SLICE: Final = 20.0
"""Seconds of one row of `false-kills`."""
LOOPS: Final = 2
"""Busy loops for each processor."""
NICE: Final = 10
POLICY: Final = "unlimited, no back-off"


@contextmanager
def _router() -> Iterator[Router]:
    plan = make_plan(PROFILE)
    programs = tuple(replace(program, policy=UNLIMITED) for program in plan.programs)
    with Router.boot(plan=replace(plan, programs=programs), config=lab.config(Inputs())) as router:
        yield router


def hang(count: int, done: Done) -> Iterator[Measurement]:
    """From the fault to the hang noticed, and to the successor ready."""
    with _router() as router:
        for module, what in VICTIMS.items():
            for kind in KINDS:
                if kind == "block-pool" and what != "daemon":
                    continue  # nobody else has RPC threads that a heartbeat passes
                for _ in range(done({"module": module, "kind": kind}), count):
                    report = router.inject(kind, module)
                    router.wait_ready()
                    yield {
                        "kind": kind,
                        "module": module,
                        "what": what,
                        "policy": POLICY,
                        "effective": report.effective,
                        "detected_by": report.detected_by,
                        "detected_ms": report.detected_ms,
                        "ready_ms": report.ready_ms,
                    }


def false_kills(count: int, done: Done) -> Iterator[Measurement]:
    """Who was taken for hanging in 20 s of saturation, and how long a stopped module took after it."""
    left = count - done({})
    if left <= 0:
        return
    with _router() as router, _saturation() as loops:
        for _ in range(left):
            mark, began = router.mark(), time.monotonic()
            time.sleep(SLICE)
            events = router.events(mark)
            seconds = time.monotonic() - began
            report = router.inject("stop", "rpd")
            router.wait_ready(60)
            yield {
                "processors": os.cpu_count(),
                "loops": loops,
                "seconds": seconds,
                "kills": sum(event.event == "hang" for event in events),
                "exits": sum(event.event == "exit" for event in events),
                "stopped_effective": report.effective,
                "stopped_detected_ms": report.detected_ms,
                "stopped_ready_ms": report.ready_ms,
            }


@contextmanager
def _saturation() -> Iterator[int]:
    """Busy loops on every processor; how many."""
    count = LOOPS * (os.cpu_count() or 1)
    busy = [
        subprocess.Popen(
            ["nice", "-n", str(NICE * (number % 2)), sys.executable, "-c", "while True: pass"],
            start_new_session=True,
        )
        for number in range(count)
    ]
    try:
        yield count
    finally:
        for process in busy:
            process.kill()
            process.wait()

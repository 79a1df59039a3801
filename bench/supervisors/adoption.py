"""What only ours claims: the supervisor dies, and nothing is lost, doubled or left alone.

And what heartbeats cost the innocent: whether anything is taken for hung while all processors are busy.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

from bench.supervisors import procfs
from bench.supervisors.ours import Ours
from bench.supervisors.scenarios import (
    SETTLE_SECONDS,
    Options,
    Row,
    back,
    bring_up,
    duplicates,
    kill,
    lost,
    milliseconds,
)
from bench.supervisors.system import System

from jsupervisor.observer.operator import Watcher

OUTAGE_MS: Final = 250.0
"""A program is killed up to so long after its supervisor: before, during and after the adoption."""
ADOPTED_SECONDS: Final = 15.0
PAUSE_SECONDS: Final = (1.0, 1.4)
"""Before each death: a standby is started half a second after an adoption, and imports for as long."""
TAKEN_OVER: Final = ("adopt", "start")
"""Whoever died in the gap is not adopted but started."""
SPINNERS_PER_CPU: Final = 2


def ours(system: System) -> Ours:
    """The system, which has to be one of ours; raises TypeError."""
    if not isinstance(system, Ours):
        raise TypeError(f"cannot measure this with {type(system).__name__}: it has no events")
    return system


def adoption(system: System, options: Options) -> Iterator[Row]:
    """jlaunchd killed again and again, and programs with it; all of them counted each time.

    `supervised_ms` ends when the successor has taken over the last program. That this means what it
    says is shown twice: a program killed in the gap is back (`gap_ms`, from its own death), and one
    killed afterwards is back at once (`later_ms`).
    """
    supervisor = ours(system)
    draw = random.Random(options["seed"])
    bring_up(supervisor)
    time.sleep(SETTLE_SECONDS)
    with supervisor.watcher() as watcher:
        for _ in range(int(options["deaths"])):
            time.sleep(draw.uniform(*PAUSE_SECONDS))
            yield _one_death(supervisor, watcher, draw)


def _one_death(system: Ours, watcher: Watcher, draw: random.Random) -> Row:
    in_gap, later = draw.sample([work.index for work in system.site.works], 2)
    victim, mark = system.victim(), watcher.mark()
    began = time.monotonic_ns()
    os.kill(victim, signal.SIGKILL)
    delay_ms = draw.choice((0.0, draw.uniform(0, OUTAGE_MS)))
    time.sleep(delay_ms / 1000)
    gap_ms = back(system, in_gap, kill(system, in_gap))
    adopted = _adopted(system, watcher, mark)
    counts = procfs.marked(system.site.mark)
    later_ms = back(system, later, kill(system, later))
    return {
        "supervised_ms": None if adopted is None else milliseconds(began, adopted),
        "delay_ms": delay_ms,
        "gap_ms": gap_ms,
        "later_ms": later_ms,
        "lost": lost(system, counts),
        "duplicates": duplicates(counts),
    }


def _adopted(system: Ours, watcher: Watcher, mark: int) -> int | None:
    """When the last program was taken over since `mark`; None if that did not happen in time."""
    names = {work.name for work in system.site.works}
    times: dict[str, int] = {}
    deadline = time.monotonic() + ADOPTED_SECONDS
    while True:
        watcher.pump()
        for record in watcher.history.since(mark):
            if record.event in TAKEN_OVER and record.name in names:
                times.setdefault(record.name, record.monotonic_ns)
        left = deadline - time.monotonic()
        if len(times) == len(names):
            return max(times.values())
        if left <= 0 or not watcher.wait_next(left):
            return None


def saturation(system: System, options: Options) -> Iterator[Row]:
    """All processors busy: how many programs that do their work are taken for hung."""
    supervisor = ours(system)
    bring_up(supervisor)
    time.sleep(SETTLE_SECONDS)
    spinners = (os.cpu_count() or 1) * SPINNERS_PER_CPU
    with supervisor.watcher() as watcher:
        mark = watcher.mark()
        burners = [
            subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"])
            for _ in range(spinners)
        ]
        time.sleep(options["seconds"])
        watcher.pump()
        events = [record.event for record in watcher.history.since(mark)]
        for burner in burners:
            burner.kill()
            burner.wait()
    yield {
        "seconds": options["seconds"],
        "spinners": spinners,
        "hangs": events.count("hang"),
        "exits": events.count("exit"),
    }

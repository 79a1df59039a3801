"""What is done to a supervisor, and what is noted. Each scenario yields rows as it goes.

All times are CLOCK_MONOTONIC: a kill is dated just before the system call, readiness by the program
itself. Programs are left alone for SETTLE_SECONDS first, beyond every peer's rule about programs
that have just been started (1 s).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from bench.supervisors import procfs
from bench.supervisors.system import System, reap

Row = Mapping[str, object]
Options = Mapping[str, float]
"""Numbers that a scenario takes: how often, how long, the seed."""
Counts = Mapping[int, Collection[int]]
"""Live processes by the index of their program."""

SETTLE_SECONDS: Final = 2.5
START_SECONDS: Final = 60.0
LIVED_SECONDS: Final = 2.0
"""A victim has been up for so long."""
LOOK_SECONDS: Final = 1.0
GONE_SECONDS: Final = 15.0
"""A program that is not back by then is not coming."""
HANG_SECONDS: Final = 12.0
BURST: Final = 10
OUTAGE_SECONDS: Final = 4.0


class NotUp(Exception):
    """The programs did not come up; the text has the supervisor's last words."""


def bring_up(system: System) -> float:
    """Start it; milliseconds until all programs are ready. Raises NotUp."""
    began = system.start()
    indices = [work.index for work in system.site.works]
    deadline = time.monotonic() + START_SECONDS
    while not system.stamps.wait_all(indices, began, LOOK_SECONDS):
        if time.monotonic() < deadline and not system.refused():
            continue
        missing = system.stamps.missing(indices, began)
        raise NotUp(f"cannot start: {len(missing)} of {len(indices)} missing: {system.output()}")
    return milliseconds(began, max(stamp.ns for stamp in system.stamps.newest.values()))


def milliseconds(begin_ns: int, end_ns: int) -> float:
    """The time between two stamps."""
    return (end_ns - begin_ns) / 1e6


def kill(system: System, index: int, number: int = signal.SIGKILL) -> int:
    """Send a signal to a program; when, just before."""
    pid = system.pid(index)
    system.stamps.pump()
    now = time.monotonic_ns()
    os.kill(pid, number)
    return now


def back(system: System, index: int, since: int, timeout: float = GONE_SECONDS) -> float | None:
    """Milliseconds from `since` until a program is ready again; None when it is not in time."""
    if not system.stamps.wait_all([index], since, timeout):
        return None
    return milliseconds(since, system.stamps.newest[index].ns)


def latency(system: System, options: Options) -> Iterator[Row]:
    """One SIGKILL at a time, the programs in turn, at moments drawn at random."""
    draw = random.Random(options["seed"])
    bring_up(system)
    time.sleep(SETTLE_SECONDS)
    for number in range(int(options["kills"])):
        time.sleep(0.15 + draw.uniform(0, 0.3) + draw.uniform(0, system.poll_seconds))
        index = number % len(system.site.works)
        _let_live(system, index)
        yield {"ms": back(system, index, kill(system, index))}


def _let_live(system: System, index: int) -> None:
    """Until its newest incarnation is older than what anybody takes for just started."""
    age = (time.monotonic_ns() - system.stamps.newest[index].ns) / 1e9
    time.sleep(max(0.0, LIVED_SECONDS - age))


def storm(system: System, options: Options) -> Iterator[Row]:
    """Everything killed at once, several times; until the last is ready again."""
    start_ms = bring_up(system)
    indices = [work.index for work in system.site.works]
    for _ in range(int(options["storms"])):
        time.sleep(SETTLE_SECONDS)
        pids = [system.pid(index) for index in indices]
        began = time.monotonic_ns()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        all_back = system.stamps.wait_all(indices, began, START_SECONDS)
        last = max(stamp.ns for stamp in system.stamps.newest.values())
        yield {"start_ms": start_ms, "all_ms": milliseconds(began, last) if all_back else None}


def burst(system: System, options: Options) -> Iterator[Row]:
    """One program killed again the moment it is ready, BURST times."""
    bring_up(system)
    time.sleep(SETTLE_SECONDS)
    for number in range(1, BURST + 1):
        ms = back(system, 0, kill(system, 0))
        yield {"kill": number, "ms": ms}
        if ms is None:
            return


def idle(system: System, options: Options) -> Iterator[Row]:
    """Nothing happens: what the supervisor's own processes use meanwhile, and their memory."""
    start_ms = bring_up(system)
    time.sleep(options["settle"])
    pids = system.supervisors()
    before, began = procfs.costs(pids), time.monotonic()
    time.sleep(options["seconds"])
    used, seconds = procfs.between(before, procfs.costs(pids)), time.monotonic() - began
    yield {
        "start_ms": start_ms,
        "processes": len(pids),
        "pss_mb": procfs.proportional_mb(pids),
        "wakeups_per_s": used.wakeups / seconds,
        "cpu_percent": 100 * used.cpu_seconds / seconds,
    }


def hang(system: System, options: Options) -> Iterator[Row]:
    """SIGSTOP: until another process is ready in its place, if one ever is."""
    bring_up(system)
    for number in range(int(options["stops"])):
        time.sleep(SETTLE_SECONDS)
        index = number % len(system.site.works)
        yield {"ms": back(system, index, kill(system, index, signal.SIGSTOP), HANG_SECONDS)}


def death(system: System, options: Options) -> Iterator[Row]:
    """SIGKILL of the supervisor: what it leaves, whether that is looked after, what a new one does."""
    bring_up(system)
    time.sleep(SETTLE_SECONDS)
    root = system.root
    os.kill(system.victim(), signal.SIGKILL)
    time.sleep(OUTAGE_SECONDS)
    reap()
    alive = procfs.marked(system.site.mark)
    restarted = None
    if alive:
        index = max(alive)
        now = time.monotonic_ns()
        os.kill(alive[index][0], signal.SIGKILL)
        restarted = back(system, index, now, OUTAGE_SECONDS)
    reap()
    if not procfs.lives(root):
        system.again()
    time.sleep(OUTAGE_SECONDS)
    reap()
    counts = procfs.marked(system.site.mark)
    yield {
        "configured": len(system.site.works),
        "alive": total(alive),
        "killed_one_back_ms": restarted,
        "alive_after_second_start": total(counts),
        "lost": lost(system, counts),
        "duplicates": duplicates(counts),
    }


def total(counts: Counts) -> int:
    """How many processes there are."""
    return sum(len(pids) for pids in counts.values())


def lost(system: System, counts: Counts) -> int:
    """How many programs have no process."""
    return sum(1 for work in system.site.works if not counts.get(work.index))


def duplicates(counts: Counts) -> int:
    """How many processes there are beyond one for each program."""
    return sum(len(pids) - 1 for pids in counts.values())


SCENARIOS: Final[Mapping[str, Callable[[System, Options], Iterator[Row]]]] = {
    "latency": latency,
    "storm": storm,
    "burst": burst,
    "idle": idle,
    "hang": hang,
    "death": death,
}

"""Processes as the kernel shows them: who lives, in which state, with how much CPU and memory.

A pid alone names nothing for long; pid and start time together do (`ProcessId`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jsupervisor.linux import ProcessStat, process_stat

TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
GONE: Final = "gone"


@dataclass(frozen=True, slots=True, order=True)
class ProcessId:
    """One process for ever: its pid and when it started, in clock ticks since boot."""

    pid: int
    start_time: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What /proc said of a process at one moment."""

    state: str
    """The kernel's letter (R, S, D, T, Z, ...), or GONE."""
    cpu_seconds: float

    @property
    def alive(self) -> bool:
        """Does it exist, and is it more than an unreaped exit status?"""
        return self.state not in (GONE, "Z", "X")


def identify(pid: int) -> ProcessId | None:
    """The process that has `pid` now; None when nobody has."""
    stat = process_stat(pid)
    return None if stat is None else ProcessId(pid, stat.start_time)


def sample(process: ProcessId) -> Sample:
    """The state and CPU time of `process`; GONE when its pid is free or another's."""
    stat = process_stat(process.pid)
    if stat is None or stat.start_time != process.start_time:
        return Sample(GONE, 0.0)
    return Sample(stat.state, _cpu_seconds(process.pid))


def wait_channels(process: ProcessId) -> tuple[str, ...]:
    """What each thread waits in, by the kernel's own name ("futex_do_wait"); the main thread first.

    Empty for a thread that runs, and where the kernel does not tell.
    """
    try:
        threads = sorted(int(name) for name in os.listdir(f"/proc/{process.pid}/task"))
    except OSError:
        return ()
    return tuple(_wait_channel(process.pid, thread) for thread in threads)


def _wait_channel(pid: int, thread: int) -> str:
    try:
        name = Path(f"/proc/{pid}/task/{thread}/wchan").read_text()
    except OSError:
        return ""
    return "" if name == "0" else name


def turns(process: ProcessId) -> int:
    """How often the main thread has been given a processor, and given it back; 0 without /proc."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)


def alive(process: ProcessId) -> bool:
    """Does this very process still run?"""
    stat = process_stat(process.pid)
    return stat is not None and _same(stat, process) and stat.state not in "ZX"


def _same(stat: ProcessStat, process: ProcessId) -> bool:
    return stat.start_time == process.start_time


def _cpu_seconds(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0.0
    fields = text[text.rindex(b")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def descendants(root: int) -> list[ProcessId]:
    """`root` and all that it started, oldest first; empty when it does not run."""
    stats = [stat for pid in _pids() if (stat := process_stat(pid)) is not None]
    return _below(root, stats)


def _below(root: int, stats: Iterable[ProcessStat]) -> list[ProcessId]:
    children: dict[int, list[ProcessStat]] = {}
    by_pid: dict[int, ProcessStat] = {}
    for stat in stats:
        children.setdefault(stat.parent, []).append(stat)
        by_pid[stat.pid] = stat
    found: list[ProcessStat] = []
    waiting = [by_pid[root]] if root in by_pid else []
    while waiting:
        stat = waiting.pop()
        found.append(stat)
        waiting.extend(children.get(stat.pid, ()))
    found.sort(key=lambda stat: (stat.start_time, stat.pid))
    return [ProcessId(stat.pid, stat.start_time) for stat in found]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def proportional_bytes(processes: Iterable[ProcessId]) -> int:
    """Memory of the processes together (PSS): a page shared by n of them counts once.

    Reads smaps_rollup; a process that may not be read or is gone counts nothing.
    """
    return sum(_rollup(process.pid).get("Pss", 0) for process in processes)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process costs in memory, in bytes."""

    proportional: int
    """PSS: a page shared by n processes counts an nth."""
    private: int
    """What it has written to: gone when the process is."""


def cost_of(pid: int) -> Cost | None:
    """None when it is gone, or is not ours to look at."""
    found = _rollup(pid)
    return Cost(found["Pss"], found["Private_Dirty"]) if "Private_Dirty" in found else None


def _rollup(pid: int) -> Mapping[str, int]:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return {}
    return parse_rollup(text)


def parse_rollup(text: str) -> dict[str, int]:
    """The figures of smaps_rollup by name, in bytes."""
    figures: dict[str, int] = {}
    for line in text.splitlines()[1:]:
        name, _, rest = line.partition(":")
        words = rest.split()
        if len(words) == 2 and words[1] == "kB":
            figures[name] = int(words[0]) * 1024
    return figures


def memory_files(process: ProcessId) -> list[str]:
    """Names of the memory files (memfd) that the process has open or mapped."""
    names: set[str] = set()
    folder = Path(f"/proc/{process.pid}/fd")
    try:
        entries = list(folder.iterdir())
    except OSError:
        return []
    for entry in entries:
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith("/memfd:"):
            names.add(target.removeprefix("/memfd:").removesuffix(" (deleted)"))
    return sorted(names)

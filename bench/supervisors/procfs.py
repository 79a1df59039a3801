"""What a supervisor costs, as the kernel counts it: wake-ups, processor time, memory; and who lives.

All of it is read from /proc, for supervisors in any language and in any number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jsupervisor.linux import process_stat
from jsupervisor.observer.processes import ProcessId, descendants, proportional_bytes

DEAD: Final = "ZX"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a thread, or several together, have used."""

    wakeups: int
    """Voluntary context switches: each ends a sleep."""
    cpu_seconds: float


def costs(pids: Iterable[int]) -> dict[int, Cost]:
    """The cost so far of each thread of these processes that is there now."""
    return {
        int(task.name): Cost(
            voluntary_switches(_text(task / "status")), cpu_seconds(_text(task / "schedstat"))
        )
        for pid in pids
        for task in _tasks(pid)
    }


def between(before: Mapping[int, Cost], after: Mapping[int, Cost]) -> Cost:
    """What was used from one look to the next; a thread that ended meanwhile is not counted."""
    none = Cost(0, 0.0)
    wakeups = sum(after[task].wakeups - before.get(task, none).wakeups for task in after)
    seconds = sum(after[task].cpu_seconds - before.get(task, none).cpu_seconds for task in after)
    return Cost(wakeups, seconds)


def voluntary_switches(status: str) -> int:
    """The figure in the text of a `status` file; 0 when it has none."""
    for line in status.splitlines():
        if line.startswith("voluntary_ctxt_switches:"):
            return int(line.partition(":")[2])
    return 0


def cpu_seconds(schedstat: str) -> float:
    """Time on a processor, in the text of a `schedstat` file, which counts nanoseconds.

    The ticks of `stat` are samples: they miss what always runs between two of them.
    """
    fields = schedstat.split()
    return int(fields[0]) / 1e9 if fields else 0.0


def proportional_mb(pids: Collection[int]) -> float:
    """Their memory in MB (10^6), a page shared by n processes counted as 1/n (PSS)."""
    known = [ProcessId(pid, stat.start_time) for pid in pids if (stat := process_stat(pid))]
    return proportional_bytes(known) / 1e6


def tree(root: int) -> list[int]:
    """`root` and all that it started and that still lives, oldest first."""
    return [process.pid for process in descendants(root) if lives(process.pid)]


def lives(pid: int) -> bool:
    """Is there such a process, and is it more than an unread exit status?"""
    stat = process_stat(pid)
    return stat is not None and stat.state not in DEAD


def marked(mark: str) -> dict[int, list[int]]:
    """The live processes of a run by program index: those with `mark` in their one argument."""
    found: dict[int, list[int]] = {}
    ending = f",mark={mark}"
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        for argument in _text(Path(f"/proc/{entry}/cmdline")).split("\0"):
            if argument.startswith("index=") and argument.endswith(ending) and lives(int(entry)):
                index = int(argument.partition(",")[0].removeprefix("index="))
                found.setdefault(index, []).append(int(entry))
    return found


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def command_line(pid: int) -> str:
    """Its arguments, each ended by a NUL; empty when it is gone."""
    return _text(Path(f"/proc/{pid}/cmdline"))

"""Operational data that no module owns: the instance's processes, in the element names of Junos' XML."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jsupervisor.initproto import Json, Message
from jsupervisor.runtime.cores import user_name


@dataclass(frozen=True, slots=True)
class Machine:
    """What is the same for all processes at one moment."""

    uptime: float
    """Seconds since the kernel booted."""
    ticks: int
    page: int
    loads: Sequence[float]
    memory: Mapping[str, int]
    """/proc/meminfo, in bytes."""
    last_pid: str


def machine() -> Machine:
    """From /proc; raises OSError."""
    uptime = Path("/proc/uptime").read_text().split()[0]
    average = Path("/proc/loadavg").read_text().split()
    memory = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        memory[name] = int(rest.split()[0]) * 1024
    return Machine(
        uptime=float(uptime),
        ticks=os.sysconf("SC_CLK_TCK"),
        page=os.sysconf("SC_PAGE_SIZE"),
        loads=[float(each) for each in average[:3]],
        memory=memory,
        last_pid=average[4],
    )


def processes(status: Message, now: Machine) -> Json:
    """`system-process-information` of an instance's processes; raises OSError without /proc."""
    found: list[Json] = []
    for command, pid in _pids(status):
        entry = _process(command, pid, now)
        if entry is not None:
            found.append(entry)
    init = _process("init", _pid(status.get("init")), now) or {}
    return {
        "system-process-information": {
            "process-information": {
                "last-pid": now.last_pid,
                **{
                    f"load-average-{minutes}": f"{load:.2f}"
                    for minutes, load in zip((1, 5, 15), now.loads, strict=True)
                },
                "up-time": _days(float(str(init.get("age-seconds", 0)))),
                "time": time.strftime("%H:%M:%S", time.gmtime()),
                "memory-total": short_size(now.memory.get("MemTotal", 0)),
                "memory-free": short_size(now.memory.get("MemAvailable", 0)),
                "process": found,
            }
        }
    }


def _pids(status: Message) -> list[tuple[str, int]]:
    modules = status.get("modules")
    found = [(name, _pid(status.get(name))) for name in ("init", "jlaunchd", "launcher")]
    found += [
        (str(module.get("name")), _pid(module))
        for module in (modules if isinstance(modules, list) else ())
        if isinstance(module, Mapping)
    ]
    return [(name, pid) for name, pid in found if pid]


def _pid(process: Json) -> int:
    pid = process.get("pid") if isinstance(process, Mapping) else None
    return pid if isinstance(pid, int) else 0


def _process(command: str, pid: int, now: Machine) -> dict[str, Json] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
        uid = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return None  # it ended while we looked
    fields = text[text.rindex(b")") + 2 :].split()
    seconds = (int(fields[11]) + int(fields[12])) / now.ticks
    age = max(now.uptime - int(fields[19]) / now.ticks, 1 / now.ticks)
    return {
        "pid": str(pid),
        "uid": str(uid),
        "user": user_name(uid),
        "ppid": fields[1].decode(),
        "priority": fields[15].decode(),
        "nice": fields[16].decode(),
        "size": short_size(int(fields[20])),
        "resident": short_size(int(fields[21]) * now.page),
        "state": fields[0].decode(),
        "cpu": fields[36].decode(),
        "cpu-seconds": f"{seconds:.2f}",
        "cpu-percent": f"{100 * seconds / age:.2f}",
        "age-seconds": f"{age:.0f}",
        "command": command,
    }


def short_size(octets: int) -> str:
    """As top prints memory: 864M, 109M, 5120K."""
    return f"{octets >> 20}M" if octets >= 10 << 20 else f"{octets >> 10}K"


def _days(seconds: float) -> str:
    days, rest = divmod(int(seconds), 86400)
    return f"{days}+{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}"

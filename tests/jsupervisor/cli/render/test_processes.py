"""Layout of `show system processes` (reference: junos.md 3.3)."""

from __future__ import annotations

from jsupervisor.cli.render.processes import extensive, processes
from jsupervisor.initproto import Json

DATA: Json = {
    "system-process-information": {
        "process-information": {
            "last-pid": "24931",
            "load-average-1": "0.89",
            "load-average-5": "0.94",
            "load-average-15": "0.81",
            "up-time": "41+06:26:24",
            "time": "00:51:55",
            "memory-total": "2048M",
            "memory-free": "740M",
            "process": [
                {
                    "pid": "19040",
                    "user": "root",
                    "priority": "21",
                    "nice": "0",
                    "size": "864M",
                    "resident": "109M",
                    "state": "S",
                    "cpu": "0",
                    "cpu-seconds": "1218.25",
                    "cpu-percent": "2.69",
                    "command": "rpd",
                },
                {"pid": "7", "state": "R", "cpu-seconds": "0.5", "command": "pfe0"},
            ],
        }
    }
}


def test_short() -> None:
    assert processes(DATA) == (
        "  PID  TT  STAT      TIME COMMAND\n"
        "19040  ??  S     20:18.25 rpd\n"
        "    7  ??  R      0:00.50 pfe0\n"
    )


def test_extensive() -> None:
    lines = extensive(DATA).splitlines()

    assert [
        "last pid: 24931;  load averages:  0.89,  0.94,  0.81  up 41+06:26:24    00:51:55",
        "2 processes: 1 running, 1 sleeping",
        "Mem: 2048M Total, 740M Free",
        "",
        "  PID USERNAME    PRI NICE   SIZE    RES STATE    C   TIME    WCPU COMMAND",
        "19040 root         21    0   864M   109M S        0  20:18   2.69% rpd",
    ] == lines[:6]

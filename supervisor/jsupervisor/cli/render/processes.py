"""`show system processes`: as `ps` prints it, and `extensive` as `top` does."""

from __future__ import annotations

from collections.abc import Iterator

from jsupervisor.cli.render.values import Table, lines, rows, table, text
from jsupervisor.initproto import Json


def processes(data: Json) -> str:
    """`system-process-information`, short."""
    information = table(data, "system-process-information", "process-information")
    return lines(
        [
            "  PID  TT  STAT      TIME COMMAND",
            *(
                f"{text(each, 'pid'):>5}  ??  {text(each, 'state'):<4}"
                f"{_minutes(text(each, 'cpu-seconds', '0')):>10} {text(each, 'command')}"
                for each in rows(information, "process")
            ),
        ]
    )


def extensive(data: Json) -> str:
    """`system-process-information`, in the layout of `show system processes extensive`."""
    return lines(_extensive(table(data, "system-process-information", "process-information")))


def _extensive(information: Table) -> Iterator[str]:
    every = rows(information, "process")
    running = sum(text(each, "state").startswith("R") for each in every)
    loads = ",  ".join(text(information, f"load-average-{each}") for each in (1, 5, 15))
    yield (
        f"last pid: {text(information, 'last-pid')};  load averages:  {loads}"
        f"  up {text(information, 'up-time')}    {text(information, 'time')}"
    )
    yield f"{len(every)} processes: {running} running, {len(every) - running} sleeping"
    yield f"Mem: {text(information, 'memory-total')} Total, {text(information, 'memory-free')} Free"
    yield ""
    yield "  PID USERNAME    PRI NICE   SIZE    RES STATE    C   TIME    WCPU COMMAND"
    for each in every:
        yield (
            f"{text(each, 'pid'):>5} {text(each, 'user'):<11} {text(each, 'priority'):>3}"
            f" {text(each, 'nice'):>4} {text(each, 'size'):>6} {text(each, 'resident'):>6}"
            f" {text(each, 'state'):<8} {text(each, 'cpu'):<1}"
            f" {_whole_minutes(text(each, 'cpu-seconds', '0')):>6}"
            f" {text(each, 'cpu-percent', '0.00'):>6}% {text(each, 'command')}"
        )


def _minutes(seconds: str) -> str:
    minutes, rest = divmod(float(seconds), 60)
    return f"{minutes:.0f}:{rest:05.2f}"


def _whole_minutes(seconds: str) -> str:
    minutes, rest = divmod(int(float(seconds)), 60)
    return f"{minutes}:{rest:02}"

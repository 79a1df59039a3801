"""`jsupervisor status`: what init says of every module, with memory and CPU time from /proc.

Answered by init alone, so it works with jlaunchd dead; neither gRPC nor trio is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from jsupervisor.cli.common import ask_status, find_instance, json_option, name_option, print_json
from jsupervisor.initproto import Json, Message
from jsupervisor.observer.processes import cost_of

HEADINGS: Final = (
    *("MODULE", "PROCESS", "PID", "STATE", "INC", "RESTARTS", "RSS", "CPU", "LAST CAUSE"),
)
_RIGHT: Final = frozenset({"PID", "INC", "RESTARTS", "RSS", "CPU"})


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process uses."""

    rss_bytes: int
    cpu_seconds: float


def usage_of(pid: int) -> Usage | None:
    """From /proc; None when there is no such process, or no /proc."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(fields[21])
    return Usage(
        rss_bytes=pages * os.sysconf("SC_PAGE_SIZE"),
        cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"),
    )


def report(answer: Mapping[str, Json], usage: Callable[[int], Usage | None]) -> Message:
    """The status as `status --json` prints it, out of init's answer."""
    return {
        "instance": answer.get("instance"),
        "profile": answer.get("profile"),
        "architecture": answer.get("architecture"),
        "run_dir": answer.get("run_dir"),
        "init": answer.get("init"),
        "jlaunchd": answer.get("jlaunchd"),
        "launcher": answer.get("launcher"),
        "tree_kill": answer.get("tree_kill"),
        "containment": answer.get("containment"),
        "modules": [_module(module, usage) for module in _tables(answer, "modules")],
        "spares": [_spare(spare) for spare in _tables(answer, "spares")],
    }


def _tables(status: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    listed = status.get(key)
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _spare(spare: Mapping[str, Json]) -> Message:
    pid = spare.get("pid")
    cost = cost_of(pid) if isinstance(pid, int) else None
    return {
        "name": spare.get("name"),
        "incarnation": spare.get("incarnation"),
        "state": spare.get("state"),
        "pid": pid,
        "pss_bytes": cost.proportional if cost else None,
        "private_bytes": cost.private if cost else None,
    }


def _module(module: Mapping[str, Json], usage: Callable[[int], Usage | None]) -> Message:
    pid = module.get("pid")
    used = usage(pid) if isinstance(pid, int) and pid else None
    return {
        "name": module.get("name"),
        "executable": module.get("executable"),
        "cli_name": module.get("cli_name"),
        "display_name": module.get("display_name"),
        "pid": pid or None,
        "incarnation": module.get("incarnation"),
        "state": module.get("state"),
        "socket": module.get("socket"),
        "ready_at": module.get("ready_at"),
        "restarts": module.get("restarts"),
        "last_cause": module.get("last_cause"),
        "tree_kill": module.get("tree_kill"),
        "rss_bytes": used.rss_bytes if used else None,
        "cpu_seconds": used.cpu_seconds if used else None,
    }


def rows(status: Mapping[str, Json]) -> list[tuple[str, ...]]:
    """The modules as cells under HEADINGS."""
    return [_cells(module) for module in _tables(status, "modules")]


def _cells(module: Mapping[str, Json]) -> tuple[str, ...]:
    rss, cpu = module["rss_bytes"], module["cpu_seconds"]
    return (
        _text(module["name"]),
        _text(module["cli_name"]),
        _text(module["pid"]),
        _text(module["state"]),
        _text(module["incarnation"]),
        _text(module["restarts"]),
        f"{rss / 2**20:.0f}M" if isinstance(rss, int) else "-",
        f"{cpu:.2f}s" if isinstance(cpu, int | float) else "-",
        _text(module["last_cause"]),
    )


def _text(value: Json) -> str:
    return "-" if value is None or value == "" else str(value)


def header(status: Mapping[str, Json]) -> list[str]:
    """The lines above the table."""
    keepers = [f"init PID {_pid(status['init'])}"]
    for name in ("jlaunchd", "launcher"):
        keeper = status[name]
        number = keeper.get("incarnation") if isinstance(keeper, Mapping) else None
        keepers.append(f"{name} PID {_pid(keeper)} (incarnation {number})")
    return [
        f"{status['instance']}: {status['profile']}, {status['architecture']}",
        ", ".join(keepers),
        f"sockets in {status['run_dir']}",
        *_containment(status),
    ]


def _containment(status: Mapping[str, Json]) -> list[str]:
    """What is lacking of it; nothing where all is there that the instance's owner could have."""
    words = status.get("containment")
    lacks = [
        f"{name} {value}"
        for name, value in (words.items() if isinstance(words, Mapping) else ())
        if str(value).startswith("no:") and name != "cgroup" and "not root" not in str(value)
    ]
    loose = [
        str(module["name"])
        for module in _tables(status, "modules")
        if module.get("tree_kill") == "best-effort" and module.get("pid") is not None
    ]
    if loose:
        lacks.append(f"processes that {', '.join(loose)} may leave behind end by best effort only")
    return [f"containment lacks: {'; '.join(lacks)}"] if lacks else []


def spare_lines(status: Mapping[str, Json]) -> list[str]:
    """A line for each warm spare: what it is, and what it costs."""
    lines = []
    for spare in _tables(status, "spares"):
        private = spare["private_bytes"]
        cost = f", {private / 2**20:.0f}M its own" if isinstance(private, int) else ""
        place = f"{_text(spare['name'])} incarnation {_text(spare['incarnation'])}"
        lines.append(f"spare {place}: PID {_pid(spare)}, {_text(spare['state'])}{cost}")
    return ["", *lines] if lines else []


def _pid(process: Json) -> str:
    return _text(process.get("pid")) if isinstance(process, Mapping) else "-"


def columns(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Plain text columns, figures to the right."""
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if heading in _RIGHT else cell.ljust(width)
            for heading, cell, width in zip(headings, row, widths, strict=True)
        ).rstrip()
        for row in (headings, *cells)
    ]


@click.command(epilog="Example: jsupervisor status --json")
@name_option
@json_option
def status(name: str, as_json: bool) -> None:
    """Show every module: process, state, restarts, memory."""
    answer = report(ask_status(find_instance(name)), usage_of)
    if as_json:
        print_json(answer)
        return
    print("\n".join([*header(answer), "", *columns(HEADINGS, rows(answer)), *spare_lines(answer)]))

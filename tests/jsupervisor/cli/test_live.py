"""The live view, drawn into a string."""

from __future__ import annotations

import io

from rich.console import Console

from jsupervisor.cli.live import EVENTS_SHOWN, LiveView, view
from jsupervisor.cli.status import report
from jsupervisor.initproto import Message

LONGEST: Message = {
    "name": "chassisd",
    "cli_name": "interface-control",
    "pid": None,
    "incarnation": 12,
    "state": "stopping",
    "restarts": 11,
    "last_cause": "signal:SIGKILL",
}
STATUS = report(
    {"instance": "default", "profile": "vmx", "architecture": "modular", "modules": [LONGEST]},
    lambda _: None,
)


def drawn(lines: list[str]) -> list[str]:
    console = Console(file=io.StringIO(), width=80)
    console.print(view(STATUS, lines))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_all_columns_fit_into_a_terminal_of_80() -> None:
    lines = drawn([])

    assert "default: vmx, modular" == lines[0].rstrip()
    assert ["chassisd", "interface-control", "-", "stopping", "11", "-", "-", "signal:SIGKILL"] == (
        lines[2].split()
    )


def test_the_newest_events_stand_under_the_table() -> None:
    lines = drawn([f"event {number}" for number in range(20)])

    assert [f"event {number}" for number in range(20 - EVENTS_SHOWN, 20)] == [
        line.rstrip() for line in lines[-EVENTS_SHOWN:]
    ]


def test_the_view_leaves_the_terminal_as_it_was() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with LiveView(console) as live:
        live.show(STATUS, ["init: routing started"])
    file = console.file
    assert isinstance(file, io.StringIO)

    assert "init: routing started" in file.getvalue()
    assert file.getvalue().endswith("\x1b[2K")

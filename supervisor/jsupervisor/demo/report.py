"""The demo's result as JSON, and as a table for people."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from jsupervisor.demo.rows import Row, Verdict, is_engine, verdict
from jsupervisor.demo.runner import DemoResult
from jsupervisor.initproto import Json

HEADINGS = (
    "module",
    "fault",
    "detected\nafter ms",
    "ready\nafter ms",
    "packets\noffered",
    "\nlost",
    "sock.\ndrops",
    "others\nrestart",
    "RPC\ndrops",
    "outage\nby loss",
    "in ms\nby gap",
)
TEXT_COLUMNS = 2


def to_json(rows: tuple[Row, ...]) -> dict[str, Json]:
    """What `jsupervisor demo --json` prints."""
    return {"rows": [row.to_json() for row in rows], "verdict": verdict(rows).value}


def cells(row: Row) -> tuple[str, ...]:
    """A row's texts, in the order of HEADINGS."""
    return (
        row.module,
        row.fault,
        _ms(row.detected_ms),
        _ms(row.ready_ms),
        str(row.offered),
        str(row.lost),
        str(row.socket_dropped),
        str(row.others_restarted),
        str(row.rpc_sessions_dropped),
        _ms(row.outage_ms_by_loss),
        _ms(row.outage_ms_by_gap),
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def table(rows: tuple[Row, ...]) -> Table:
    """The table; rows that failed or disturbed others stand out."""
    result = Table(
        title="Every module, killed and stopped under traffic",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=0,  # a terminal of 80 columns must show it whole
        show_edge=False,
    )
    for index, heading in enumerate(HEADINGS):
        side: JustifyMethod = "left" if index < TEXT_COLUMNS else "right"
        result.add_column(heading, justify=side, no_wrap=True)
    for row in rows:
        style = "red" if row.failed or row.disturbed else ""
        texts = [Text(cell, style=style) for cell in cells(row)]
        if row.lost and is_engine(row.module):
            texts[5].stylize("yellow")
        result.add_row(*texts)
    return result


def remarks(rows: tuple[Row, ...]) -> list[str]:
    """One line for everything that is not as it should be."""
    return [
        f"{row.module} {row.fault}: {text}"
        for row in rows
        for text in (*row.disturbances, *row.problems)
    ]


def caption(result: DemoResult) -> list[str]:
    """What a reader needs to judge the table."""
    offered = sum(row.offered for row in result.rows)
    lost = sum(row.lost for row in result.rows)
    run = f"{result.architecture}, restart policy {result.policy}, {result.seconds:.1f} s in all."
    load = (
        f"{result.rate:g} packets/s in two IPv4 and two IPv6 flows: {offered} offered, {lost} lost,"
    )
    late = f"{result.delayed} delayed by back-pressure, {result.duplicates} duplicates."
    gap = f"Without any fault the longest gap was {result.baseline.outage_ms_by_gap:.1f} ms."
    return [run, f"{load} {late}", gap]


def headline(found: Verdict, expected: Verdict) -> str:
    """The last line."""
    if found is expected:
        return f"{found.value}, as expected"
    return f"{found.value}, expected {expected.value}"


def line(row: Row) -> str:
    """A row while the demo runs: one line."""
    state = "failed" if row.failed else "disturbed" if row.disturbed else "ok"
    return (
        f"{row.module:<8} {row.fault} detected {_ms(row.detected_ms):>6} ms,"
        f" ready {_ms(row.ready_ms):>6} ms, lost {row.lost} of {row.offered}: {state}"
    )

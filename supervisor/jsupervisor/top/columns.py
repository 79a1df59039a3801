"""Rows as cells: which columns fit into how many characters, and what stands in each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from jsupervisor.top import words
from jsupervisor.top.model import Header, Kind, Row

GAPS: Final = (2, 1)
"""Characters between two columns: where there is room, and at least."""
DOT: Final = "● "
INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its width, and what stands in it."""

    title: str
    width: int
    cell: Callable[[Row], str]
    right: bool = True
    rank: int = 0
    """The higher, the earlier it is left out on a narrow screen."""
    stretch: int = 0
    """How much wider than `width` it may become when there is room."""


def name_cell(row: Row) -> str:
    """The name, under its groups."""
    mark = "▾ " if row.kind is Kind.GROUP else ""
    return INDENT * row.depth + mark + row.name


def _state(row: Row) -> str:
    return (row.state if row.kind is Kind.GROUP else DOT + row.state) or words.NONE


def _down(row: Row) -> str:
    return words.span(row.down_seconds) + ("…" if row.still_down else "")


def _cause(row: Row) -> str:
    kind, _, what = row.cause.partition(":")
    return what if what and kind in ("signal", "requested") else row.cause or words.NONE


def _beat(row: Row) -> str:
    return words.span(row.beat_seconds)


COLUMNS: Final = (
    Column("MODULE", 11, name_cell, right=False, stretch=9),
    Column("STATE", 10, _state, right=False),
    Column("PID", 7, lambda row: words.count(row.pid)),
    Column("INC", 3, lambda row: words.count(row.incarnation), rank=6),
    Column("RST", 3, lambda row: words.count(row.restarts)),
    Column("UP", 6, lambda row: words.age(row.up_seconds)),
    Column("DOWN", 6, _down, stretch=2),
    Column("TOTAL", 6, lambda row: words.span(row.down_total), rank=4),
    Column("CPU%", 4, lambda row: words.percent(row.cpu_percent)),
    Column("MEM", 4, lambda row: words.size(row.resident_bytes)),
    Column("RPC/s", 5, lambda row: words.rate(row.rpc_rate), rank=2),
    Column("BEAT", 5, _beat, rank=3),
    Column("LAST CAUSE", 13, _cause, right=False, stretch=20),
    Column("POLICY", 14, lambda row: row.policy or words.NONE, right=False, rank=5),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A column as wide as it is shown."""

    column: Column
    width: int

    def text(self, row: Row) -> str:
        """What stands in it, cut and padded to its width."""
        return fitted(self.column.cell(row), self.width, self.column.right)

    @property
    def title(self) -> str:
        """The heading, likewise."""
        return fitted(self.column.title, self.width, self.column.right)


def fitted(text: str, width: int, right: bool) -> str:
    """The text in exactly `width` characters."""
    if len(text) > width:
        text = text[: width - 1] + "…"
    return text.rjust(width) if right else text.ljust(width)


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that are shown, and the gap between them."""

    columns: tuple[Placed, ...]
    gap: int


def place(width: int) -> Layout:
    """The columns that fit into `width` characters, and what is left over spread among them."""
    shown = list(COLUMNS)
    while _total(shown, GAPS[-1]) > width and any(column.rank for column in shown):
        shown.remove(max(shown, key=lambda column: column.rank))
    gap = next((gap for gap in GAPS if _total(shown, gap) <= width), GAPS[-1])
    spare = max(0, width - _total(shown, gap))
    placed = []
    # From the right: causes are what is cut most often.
    for column in reversed(shown):
        more = min(spare, column.stretch)
        spare -= more
        placed.append(Placed(column, column.width + more))
    return Layout(tuple(reversed(placed)), gap)


def _total(columns: Sequence[Column], gap: int) -> int:
    return sum(column.width for column in columns) + gap * (len(columns) - 1)


def plain(header: Header, rows: Sequence[Row], width: int) -> list[str]:
    """The screen as lines of text, for a pipe."""
    layout = place(width)
    gap = " " * layout.gap
    table = [gap.join(each.title for each in layout.columns)]
    table += [gap.join(each.text(row) for each in layout.columns) for row in rows]
    away = [standing(header)] if standing(header) else []
    return [title(header), totals(header), *away, "", *(line.rstrip() for line in table)]


def title(header: Header) -> str:
    """Which instance it is, under which policy, and for how long."""
    parts = [header.instance, header.profile, header.architecture]
    text = " · ".join(part for part in parts if part)
    if header.policy:
        text += f"   policy {header.policy}"
    return f"{text}   up {words.age(header.up_seconds)}"


def totals(header: Header) -> str:
    """All modules together."""
    parts = [
        f"{header.up}/{header.modules} up",
        f"restarts {header.restarts}",
        f"failures {header.failures}",
        *([f"hangs {header.hangs}"] if header.hangs else []),
        f"down {words.span(header.downtime_seconds)}",
        f"CPU {words.percent(header.cpu_percent)}%",
        f"mem {words.size(header.resident_bytes)}",
        f"RPC {words.rate(header.rpc_rate)}/s",
        *([f"alarms {header.alarms}"] if header.alarms else []),
    ]
    return "  ".join(parts)


def standing(header: Header) -> str:
    """Who answers: empty while everybody does."""
    since = f" ({words.age(header.away_seconds)})" if header.away_seconds >= 1 else ""
    if not header.reached:
        return f"the instance is away, trying again{since}: this is what was known last"
    if not header.supervised:
        return f"supervisor is away, trying again{since}"
    return ""

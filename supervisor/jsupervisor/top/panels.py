"""The two panels of the screen: the table of modules and the log of events.

Both draw only what has changed: most of what a look finds is as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text
from textual.widgets import DataTable, RichLog
from textual.widgets.data_table import CellDoesNotExist

from jsupervisor.cli.wording import particulars
from jsupervisor.observer.events import EventRecord
from jsupervisor.top.columns import Layout, Placed, place
from jsupervisor.top.model import AWAY, KEPT_EVENTS, Kind, Model, Row, matching

FAINT: Final = "#8b949e"
STATES: Final = {
    "up": "green",
    "starting": "yellow",
    "stopping": "yellow",
    "backoff": "bold yellow",
    "down": FAINT,
    "failed": "bold red",
    AWAY: "bold red",
}
EVENTS: Final = {
    "start": "cyan",
    "serving": FAINT,
    "ready": "green",
    "forwarding": "green",
    "exit": "red",
    "hang": "bold red",
    "thrash": "bold red",
    "failed": "bold red",
    "fault": "magenta",
    "restart": "yellow",
    "stop": "yellow",
    "adopt": "cyan",
}
BUSY: Final = 50.0
"""Percent of a processor."""
SILENT: Final = 1.0
"""Seconds without a heartbeat."""


def style(title: str, row: Row) -> str:
    """The colour of one cell."""
    if row.stale:
        return "dim"
    match title:
        case "STATE" if row.kind is not Kind.GROUP:
            return STATES.get(row.state, "")
        case "MODULE":
            return {Kind.GROUP: "bold", Kind.KEEPER: "cyan", Kind.MODULE: ""}[row.kind]
        case "DOWN" if row.still_down:
            return "bold red"
        case "RST" if row.restarts:
            return "yellow"
        case "CPU%" if (row.cpu_percent or 0.0) >= BUSY:
            return "bold yellow"
        case "BEAT" if (row.beat_seconds or 0.0) >= SILENT:
            return "bold red"
        case "LAST CAUSE" | "POLICY" | "TOTAL" | "INC":
            return FAINT
        case _:
            return ""


class ModuleTable(DataTable[Text]):
    """One line for each module, process of supervision and group."""

    def __init__(self) -> None:
        super().__init__(id="modules", cursor_type="row", cell_padding=0, zebra_stripes=False)
        self._layout = Layout((), 0)
        self._rows: tuple[Row, ...] = ()
        self._drawn: dict[tuple[str, str], tuple[str, str]] = {}

    def show(self, rows: Sequence[Row], width: int) -> None:
        """Draw these rows into so many characters."""
        layout = place(width)
        if layout != self._layout or [*map(_key, rows)] != [*map(_key, self._rows)]:
            self._rebuild(rows, layout)
        else:
            self._update(rows)
        self._rows = tuple(rows)

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor_row] if self.cursor_row < len(self._rows) else None

    def choose(self, name: str) -> None:
        """Put the cursor on the row of that name, if there is one."""
        for number, row in enumerate(self._rows):
            if row.name == name:
                self.move_cursor(row=number)

    def _rebuild(self, rows: Sequence[Row], layout: Layout) -> None:
        chosen = self.chosen
        self.clear(columns=True)
        self._layout, self._drawn = layout, {}
        for each in layout.columns:
            title = Text(each.title, style="bold", no_wrap=True, end="")
            self.add_column(title, key=each.column.title, width=each.width + layout.gap)
        for row in rows:
            cells = [self._cell(row, each) for each in layout.columns]
            self.add_row(
                *(Text(text, colour, no_wrap=True) for text, colour in cells), key=_key(row)
            )
        self._rows = tuple(rows)
        if chosen is not None:
            self.choose(chosen.name)

    def _cell(self, row: Row, each: Placed) -> tuple[str, str]:
        drawn = each.text(row), style(each.column.title, row)
        self._drawn[_key(row), each.column.title] = drawn
        return drawn

    def _update(self, rows: Sequence[Row]) -> None:
        for old, row in zip(self._rows, rows, strict=True):
            if old == row:
                continue
            for each in self._layout.columns:
                before = self._drawn[_key(row), each.column.title]
                text, colour = self._cell(row, each)
                if (text, colour) != before:
                    cell = Text(text, colour, no_wrap=True)
                    try:
                        self.update_cell(_key(row), each.column.title, cell)
                    except CellDoesNotExist:
                        return


def _key(row: Row) -> str:
    return f"{row.kind.value}:{row.name}"


def event_line(record: EventRecord) -> Text:
    """An event for the log."""
    line = Text(no_wrap=True, end="")
    line.append(f"{record.time[11:23]} ", FAINT)
    line.append(f"{record.name:<10} ", "bold")
    line.append(f"{record.event:<9} ", EVENTS.get(record.event, ""))
    line.append(particulars(record))
    return line


class EventLog(RichLog):
    """Events as they come, all or those that have the words of the filter."""

    def __init__(self) -> None:
        super().__init__(id="events", max_lines=KEPT_EVENTS, wrap=False, min_width=0)
        self.border_title = "events"
        self._filter = ""
        self._added = 0

    @property
    def filter(self) -> str:
        """The words that an event must have."""
        return self._filter

    def show(self, model: Model) -> None:
        """Draw the events that are new."""
        new = min(model.added - self._added, len(model.events))
        self._added = model.added
        if new:
            newest = [model.events[place] for place in range(-new, 0)]
            self._write(matching(newest, self._filter))

    def refilter(self, words: str, model: Model) -> None:
        """Show those with other words from now on."""
        self._filter = words
        self.border_title = f"events with {words}" if words else "events"
        self.clear()
        self._added = model.added
        self._write(matching(model.events, words))

    def _write(self, records: Sequence[EventRecord]) -> None:
        for record in records:
            self.write(event_line(record))

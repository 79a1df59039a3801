"""The two panels of the screen: the table of modules and the log of events.

Both draw only what has changed: most of what a look finds is as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import RichLog

from jsupervisor.cli.wording import particulars
from jsupervisor.observer.events import EventRecord
from jsupervisor.top.columns import Layout, place
from jsupervisor.top.model import AWAY, Kind, Model, Row, matching

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
LINES: Final = 500
"""Events that the log shows at most: each costs a millisecond when it is drawn first."""


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


class ModuleTable(ScrollView, can_focus=True):
    """One line for each module, process of supervision and group.

    Draws its own lines: a general table costs ten times as much for each look.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--heading", "table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("home,g", "move(-10000)", show=False),
        Binding("end,G", "move(10000)", show=False),
        Binding("enter", "choose", show=False),
    ]
    cursor: reactive[int] = reactive(0)
    """The number of the row that keys are about."""

    class Chosen(Message):
        """Enter was pressed, or the row under the cursor clicked."""

    def __init__(self) -> None:
        super().__init__(id="modules")
        self._layout = Layout((), 0)
        self._rows: tuple[Row, ...] = ()
        self._strips: dict[tuple[int, bool], Strip] = {}

    def show(self, rows: Sequence[Row], width: int) -> None:
        """Draw these rows into so many characters."""
        chosen, layout = self.chosen, place(width)
        old, self._rows = self._rows, tuple(rows)
        if layout != self._layout or [*map(_key, rows)] != [*map(_key, old)]:
            self._layout = layout
            self._strips.clear()
            self.virtual_size = Size(width, len(rows) + 1)
            if chosen is not None:
                self.put_cursor(chosen.name)
            self.cursor = max(0, min(self.cursor, len(rows) - 1))
            self.refresh(layout=True)
            return
        for number, row in enumerate(rows):
            if row != old[number] and self._looks_different(old[number], row):
                self._redraw(number)

    def _looks_different(self, old: Row, row: Row) -> bool:
        return any(
            (each.text(old), style(each.column.title, old))
            != (each.text(row), style(each.column.title, row))
            for each in self._layout.columns
        )

    @property
    def chosen(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def put_cursor(self, name: str) -> None:
        """Put the cursor on the row of that name, if there is one."""
        for number, row in enumerate(self._rows):
            if row.name == name:
                self.cursor = number

    # -- Textual's side --------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """The heading stays where it is; rows scroll under it."""
        width = self.size.width
        if y == 0:
            heading = self.get_component_rich_style("table--heading")
            return self._joined([(each.title, "") for each in self._layout.columns], heading, width)
        number = y - 1 + self.scroll_offset.y
        if number >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        marked = number == self.cursor
        strip = self._strips.get((number, marked))
        if strip is None:
            row = self._rows[number]
            base = self.get_component_rich_style("table--cursor") if marked else self.rich_style
            cells = [(e.text(row), style(e.column.title, row)) for e in self._layout.columns]
            strip = self._strips[number, marked] = self._joined(cells, base, width)
        return strip

    def _joined(self, cells: Sequence[tuple[str, str]], base: Style, width: int) -> Strip:
        gap = Segment(" " * self._layout.gap, base)
        segments: list[Segment] = []
        for text, colour in cells:
            segments += [Segment(text, base + Style.parse(colour)), gap]
        return Strip(segments).adjust_cell_length(width, base)

    def notify_style_update(self) -> None:
        """What was drawn has other colours now."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """What was drawn has another width now."""
        self._strips.clear()

    def watch_cursor(self, before: int, now: int) -> None:
        """It has moved."""
        self._redraw(before)
        self._redraw(now)
        shown = Region(0, now, self.size.width, 2)  # the heading lies over the first line
        self.scroll_to_region(shown, animate=False, force=True)

    def _redraw(self, number: int) -> None:
        for marked in (False, True):
            self._strips.pop((number, marked), None)
        self.refresh(Region(0, number + 1 - self.scroll_offset.y, self.size.width, 1))

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows, to the end at most."""
        self.cursor = max(0, min(self.cursor + by, len(self._rows) - 1))

    def action_choose(self) -> None:
        """The row is meant."""
        self.post_message(self.Chosen())

    def on_click(self, event: Click) -> None:
        """A first click moves the cursor, one more opens."""
        # Counted from the widget's own corner; its padding is left and right alone.
        number = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or number >= len(self._rows):
            return
        if number == self.cursor:
            self.action_choose()
        self.cursor = number


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
        super().__init__(id="events", max_lines=LINES, wrap=False, min_width=0)
        self.border_title = "events"
        self._filter = ""
        self._added = self._shuffled = 0

    @property
    def filter(self) -> str:
        """The words that an event must have."""
        return self._filter

    def show(self, model: Model) -> None:
        """Draw the events that are new, or all when one has come late."""
        if model.shuffled != self._shuffled:
            self.refilter(self._filter, model)
            return
        new = min(model.added - self._added, len(model.events))
        self._added = model.added
        if new:
            self._write(matching(model.events[-new:], self._filter))

    def refilter(self, words: str, model: Model) -> None:
        """Show those with other words from now on."""
        self._filter = words
        self.border_title = f"events with {words}" if words else "events"
        self.clear()
        self._added, self._shuffled = model.added, model.shuffled
        self._write(matching(model.events, words))

    def _write(self, records: Sequence[EventRecord]) -> None:
        for record in records[-LINES:]:
            self.write(event_line(record))

"""The live view of a running instance on a terminal: the modules, and the newest events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Self

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from jsupervisor.cli.status import HEADINGS, rows
from jsupervisor.initproto import Json

EVENTS_SHOWN: Final = 8
_RIGHT: Final = frozenset({"PID", "RESTARTS", "RSS", "CPU"})
_LEFT_OUT: Final = frozenset({"INC"})
"""So that all fits into 80 columns."""
_COLOURS: Final[Mapping[str, str]] = {
    "up": "green",
    "failed": "bold red",
    "down": "red",
    "backoff": "yellow",
    "starting": "yellow",
    "stopping": "yellow",
}


def view(status: Mapping[str, Json], events: Sequence[str]) -> RenderableType:
    """The table of the status with the newest events under it."""
    table = Table(
        title=f"{status['instance']}: {status['profile']}, {status['architecture']}",
        caption="Ctrl-C stops the router",
        title_justify="left",
        caption_justify="left",
        box=None,
        pad_edge=False,
        collapse_padding=True,
    )
    for heading in HEADINGS:
        if heading not in _LEFT_OUT:
            justify: JustifyMethod = "right" if heading in _RIGHT else "left"
            table.add_column(heading, justify=justify, no_wrap=True)
    for cells in rows(status):
        shown = [c for h, c in zip(HEADINGS, cells, strict=True) if h not in _LEFT_OUT]
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in shown))
    newest = Text("\n".join(events[-EVENTS_SHOWN:]), style="dim", no_wrap=True, overflow="ellipsis")
    return Group(table, newest)


class LiveView:
    """Keeps the view on the terminal up to date while it is entered."""

    def __init__(self, console: Console | None = None) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def show(self, status: Mapping[str, Json], events: Sequence[str]) -> None:
        """Draw anew."""
        self._live.update(view(status, events), refresh=True)

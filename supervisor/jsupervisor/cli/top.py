"""`jsupervisor top`: the live screen of an instance, or one table of it."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Final

import click

from jsupervisor.cli.common import ask_status, find_instance, name_option, require_existing
from jsupervisor.cli.errors import FAILED, WRONG, CliError

if TYPE_CHECKING:
    from jsupervisor.paths import Instance

MISSING: Final = "cannot show the screen: pip install 'jsupervisor[tui]'"
EXTRA: Final = "textual"
UNLIMITED: Final = 200
"""Columns of a table that no terminal limits."""


@click.command(epilog="Example: jsupervisor top --name r1")
@name_option
@click.option(
    "--interval", type=click.FloatRange(0.2, 3600), default=2.0, show_default=True,
    metavar="SECONDS", help="Between two looks; events are shown as they happen.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask before something is stopped or broken.")
@click.option("--once", is_flag=True, help="Print one plain table, for scripts.")
def top(name: str, interval: float, yes: bool, once: bool) -> None:
    """Watch modules live: states, restarts, downtime, CPU, memory, calls, events; and command them.

    A process of its own: its end harms nobody. It goes on showing what was known last when the
    supervisor is away.
    """
    chosen = require_existing(find_instance(name))
    ask_status(chosen)  # one that does not run is told so
    if once:
        _print(chosen)
        return
    if not on_terminal():
        raise CliError("cannot show the screen: this is no terminal; --once prints a table", WRONG)
    try:
        from jsupervisor.top.app import TopApp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == EXTRA:
            raise CliError(MISSING, FAILED) from error
        raise
    app = TopApp(chosen, interval=interval, assume_yes=yes)
    app.run()
    if app.return_code:
        raise CliError("cannot go on showing the screen: a defect, see above", FAILED)


def on_terminal() -> bool:
    """Is somebody looking?"""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _print(chosen: Instance) -> None:
    from jsupervisor.top.columns import plain
    from jsupervisor.top.feed import once
    from jsupervisor.top.model import Model

    model = Model()
    snapshot, events = once(chosen)
    for record in events:
        model.add(record)
    model.look(snapshot)
    view = model.view(time.monotonic_ns())
    width = shutil.get_terminal_size().columns if on_terminal() else UNLIMITED
    print("\n".join(plain(view.header, view.rows, width)))

"""`jsupervisor events`: what happened to the modules, from the journal on disk and live from init."""

from __future__ import annotations

import json
import select
from collections.abc import Callable, Iterator
from typing import Final

import click

from jsupervisor.cli.common import find_instance, name_option, require_existing
from jsupervisor.cli.errors import FAILED, refused
from jsupervisor.cli.wording import history_line
from jsupervisor.observer.events import EventRecord, parse
from jsupervisor.paths import Instance

HISTORY: Final = 100_000


def past(chosen: Instance, count: int | None) -> list[EventRecord]:
    """The newest records of the journal, oldest first; all of them without a count."""
    from jsupervisor.jlaunchd.journal import read_history

    records = [parse(record) for record in read_history(chosen.journal, HISTORY)]
    return records if count is None else records[len(records) - min(count, len(records)) :]


def follow(chosen: Instance, count: int | None) -> Iterator[EventRecord]:
    """The past, then every event as it happens, none twice, until init ends."""
    from jsupervisor.observer.operator import OperatorError, Watcher

    with refused(FAILED, OperatorError):
        watcher = Watcher(chosen)
    with watcher:
        told = past(chosen, count)
        yield from told
        # An event of this moment may be in the journal and be pushed.
        seen = set(told)
        mark = 0
        while True:
            watcher.pump()
            for record in watcher.history.since(mark):
                mark += 1
                if record not in seen:
                    yield record
            if watcher.ended:
                return
            select.select([watcher], [], [])


@click.command(epilog="Example: jsupervisor events --json -f")
@name_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON record a line.")
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with events as they happen.")
@click.option("-n", "count", type=click.IntRange(0), metavar="N", help="Only the last N.")
def events(name: str, as_json: bool, following: bool, count: int | None) -> None:
    """Print the event history: starts, exits, restarts, faults."""
    chosen = require_existing(find_instance(name))
    show: Callable[[EventRecord], str] = _json_line if as_json else history_line
    records = follow(chosen, count) if following else iter(past(chosen, count))
    try:
        for record in records:
            print(show(record), flush=following)
    except KeyboardInterrupt:
        if not following:
            raise


def _json_line(record: EventRecord) -> str:
    return json.dumps(record.to_json())

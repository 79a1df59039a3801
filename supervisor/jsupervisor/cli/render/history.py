"""The journal as a list of ends: why each process ended, for how long it was missed, what was decided. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jsupervisor.initproto import Message
from jsupervisor.observer.events import EventRecord

HEADINGS = ("TIME", "MODULE", "INC", "CAUSE", "DOWN", "ATTEMPT", "NEXT")
RIGHT = frozenset({"INC", "DOWN", "ATTEMPT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of one process, and what came of it."""

    time: str
    """RFC 3339, UTC."""
    name: str
    incarnation: int
    cause: str
    attempt: int
    """The how-manieth failure in a row it is; 0: it was no failure."""
    next: str
    """What the restart policy decided."""
    downtime_ms: float | None = None
    """Until a successor was ready; None when none has been."""

    def to_json(self) -> Message:
        """As `history --json` prints it."""
        return {
            "time": self.time,
            "name": self.name,
            "incarnation": self.incarnation,
            "cause": self.cause,
            "downtime_ms": self.downtime_ms,
            "attempt": self.attempt,
            "next": self.next,
        }


def ends(records: Iterable[EventRecord]) -> list[End]:
    """All ends in the order of the records, each with the readiness that came after it."""
    found: list[End] = []
    missing: dict[str, tuple[int, int]] = {}
    for record in records:
        name = record.name
        if record.event == "exit":
            missing[name] = len(found), record.monotonic_ns
            found.append(_end(record))
        elif record.event == "start" and record.incarnation == 1:
            missing.pop(name, None)  # the instance was started anew: nobody has missed it
        elif record.event == "ready" and name in missing:
            place, gone_ns = missing.pop(name)
            down = record.downtime_ms
            if down is None:  # of jlaunchd and launchers
                down = (record.monotonic_ns - gone_ns) / 1e6
            found[place] = replace(found[place], downtime_ms=down)
    return found


def _end(record: EventRecord) -> End:
    return End(
        time=record.time,
        name=record.name,
        incarnation=record.incarnation,
        cause=record.cause,
        attempt=record.attempt,
        next=record.next,
    )


def table(found: Sequence[End]) -> list[str]:
    """Lines for people, with a heading."""
    rows = [HEADINGS, *map(_cells, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if heading in RIGHT else cell.ljust(width)
            for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _cells(end: End) -> tuple[str, ...]:
    return (
        end.time[:23].replace("T", " "),
        end.name,
        str(end.incarnation),
        end.cause or "-",
        "-" if end.downtime_ms is None else f"{end.downtime_ms:.1f} ms",
        str(end.attempt or "-"),
        end.next or "-",
    )

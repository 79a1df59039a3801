"""Event records as init pushes them: one frozen value each, and a reader that waits for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jsupervisor.initproto import Json


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that happened to a module. `event` is one of
    start exit hang serving ready restart stop thrash failed adopt fault."""

    name: str
    event: str
    incarnation: int
    cause: str
    monotonic_ns: int
    """CLOCK_MONOTONIC, comparable between all processes of the host."""
    time: str
    """RFC 3339, UTC."""
    downtime_ms: float | None
    attempt: int
    next: str

    def to_json(self) -> dict[str, Json]:
        """The record as `jsupervisor events --json` prints it."""
        return {
            "name": self.name,
            "event": self.event,
            "incarnation": self.incarnation,
            "cause": self.cause,
            "monotonic_ns": self.monotonic_ns,
            "time": self.time,
            "downtime_ms": self.downtime_ms,
            "attempt": self.attempt,
            "next": self.next,
        }


def parse(record: Mapping[str, Json]) -> EventRecord:
    """The event in a pushed record; what is missing or of another type becomes empty."""
    downtime = record.get("downtime_ms")
    return EventRecord(
        name=_text(record.get("name")),
        event=_text(record.get("event")),
        incarnation=_number(record.get("incarnation")),
        cause=_text(record.get("cause")),
        monotonic_ns=_number(record.get("monotonic_ns")),
        time=_text(record.get("time")),
        downtime_ms=float(downtime) if isinstance(downtime, (int, float)) else None,
        attempt=_number(record.get("attempt")),
        next=_text(record.get("next")),
    )


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Json) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


class History:
    """All events seen so far, in order; a place in it is a plain index."""

    def __init__(self) -> None:
        self._records: list[EventRecord] = []

    def append(self, record: EventRecord) -> None:
        """Add the newest event."""
        self._records.append(record)

    def __len__(self) -> int:
        return len(self._records)

    def take(self) -> list[EventRecord]:
        """All events, which are then forgotten: for who watches for ever and keeps no marks."""
        taken, self._records = self._records, []
        return taken

    def since(self, mark: int) -> Iterator[EventRecord]:
        """The events from index `mark` on."""
        return iter(self._records[mark:])

    def first(self, mark: int, name: str | None, *events: str) -> EventRecord | None:
        """The first event from `mark` on that is about `name` (None: anybody) and one of `events`."""
        for record in self._records[mark:]:
            if (name is None or record.name == name) and record.event in events:
                return record
        return None

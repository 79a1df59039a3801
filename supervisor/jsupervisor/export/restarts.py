"""Turns event records into spans: each restart is one, and so are its phases. Pure.

    restart  fault, hang or request ------------------------------------------> ready
    detect   fault or hang -> exit            (leave: request -> exit)
    decide                    exit -> what follows is decided
    backoff                           decided -> the delay is over
    fork                                         -> the successor has its name
    serving                                         -> its sockets answer
    ready                                              -> it is ready

A record's `monotonic_ns` is when something happened, its `time` when jlaunchd dealt with it: of an exit the one
is the death and the other the decision.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from jsupervisor.observer.events import EventRecord

RECENT_NS: Final = 60_000_000_000
"""A fault that happened longer before an exit has nothing to do with it."""
_DELAY: Final = re.compile(r"restart in (\d+) ms")

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, in ns since the epoch, with the phases that it consists of."""

    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Value]
    failed: bool = False
    phases: tuple[Span, ...] = ()


@dataclass(slots=True)
class _Under:
    """A restart that is under way."""

    began_ns: int
    first: str
    """What the time before the exit is called; empty when nothing is known of it."""
    exit: EventRecord
    decided_ns: int
    reached: dict[str, int] = field(default_factory=dict)


class Restarts:
    """All restarts of one instance."""

    def __init__(self, offset_ns: int) -> None:
        """`offset_ns` added to CLOCK_MONOTONIC gives the time since the epoch."""
        self._offset = offset_ns
        self._causes: dict[str, tuple[str, int]] = {}
        self._under: dict[str, _Under] = {}

    def take(self, record: EventRecord) -> Span | None:
        """The span that ends with this event, if any does."""
        match record.event:
            case "fault" | "hang":
                self._cause(record, "detect")
            case "restart":
                self._cause(record, "leave")
            case "exit":
                self._exit(record)
            case "start" | "serving":
                self._reach(record)
            case "ready":
                self._reach(record)
                return self._end(record, failed=False)
            case "thrash":
                return self._end(record, failed=True)
            case _:
                pass
        return None

    def _cause(self, record: EventRecord, first: str) -> None:
        self._causes.setdefault(record.name, (first, record.monotonic_ns))

    def _exit(self, record: EventRecord) -> None:
        none = ("", record.monotonic_ns)
        first, at = self._causes.pop(record.name, none)
        if not 0 <= record.monotonic_ns - at <= RECENT_NS:
            first, at = none
        known = self._under.get(record.name)
        if known is not None and known.exit.incarnation == record.incarnation:
            return  # told once more, after a death of jlaunchd
        if record.cause.startswith("requested:stop"):
            self._under.pop(record.name, None)
            return
        decided = max(record.monotonic_ns, _epoch_ns(record.time) - self._offset)
        self._under[record.name] = _Under(at, first, record, decided)

    def _reach(self, record: EventRecord) -> None:
        under = self._under.get(record.name)
        if under is not None and record.incarnation > under.exit.incarnation:
            under.reached.setdefault(record.event, record.monotonic_ns)

    def _end(self, record: EventRecord, *, failed: bool) -> Span | None:
        under = self._under.get(record.name)
        if under is None or (not failed and record.incarnation <= under.exit.incarnation):
            return None
        del self._under[record.name]
        attributes: dict[str, Value] = {
            "jsupervisor.module": record.name,
            "jsupervisor.cause": under.exit.cause,
            "jsupervisor.incarnation": record.incarnation,
            "jsupervisor.attempt": under.exit.attempt,
        }
        if record.downtime_ms is not None:
            attributes["jsupervisor.downtime_ms"] = record.downtime_ms
        phases = self._phases(under)
        end = max([record.monotonic_ns + self._offset, *(phase.end_ns for phase in phases)])
        return Span(
            f"restart {record.name}",
            under.began_ns + self._offset,
            end,
            attributes,
            failed,
            phases,
        )

    def _phases(self, under: _Under) -> tuple[Span, ...]:
        """One after another, none with an end before its start."""
        ends = [(under.first, under.exit.monotonic_ns)] if under.first else []
        ends.append(("decide", under.decided_ns))
        if delay := _delay_ns(under.exit.next):
            ends.append(("backoff", under.decided_ns + delay))
        names = (("start", "fork"), ("serving", "serving"), ("ready", "ready"))
        ends += [(name, under.reached[event]) for event, name in names if event in under.reached]
        phases: list[Span] = []
        start = under.began_ns
        for name, end in ends:
            end = max(start, end)
            phases.append(Span(name, start + self._offset, end + self._offset, {}))
            start = end
        return tuple(phases)


def _delay_ns(following: str) -> int:
    match = _DELAY.fullmatch(following)
    return int(match[1]) * 1_000_000 if match else 0


def _epoch_ns(time: str) -> int:
    """RFC 3339 as ns since the epoch; 0 for what is none."""
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1e6) * 1000
    except ValueError:
        return 0

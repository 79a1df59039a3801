"""What has happened to each process since the instance started, counted from event records. Pure.

Counters are made of the same records that the journal holds, and of nothing else, so a new jlaunchd
finds out exactly what its predecessor had counted: the last state that was kept, and the records since.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from jsupervisor.initproto import Json, Message

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histograms' buckets; the last one, without a bound, is not listed."""
MAX_CAUSES: Final = 32
"""Causes counted apart for one process; further ones are counted as OTHER."""
OTHER: Final = "other"
REQUESTED: Final = "requested:"


@dataclass(slots=True)
class Histogram:
    """Durations by size, their sum and number."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    """How many fell between a bound and the one before it."""
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration; a negative one counts as none at all."""
        seconds = max(0.0, seconds)
        self.buckets[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.buckets)

    def copy(self) -> Histogram:
        """As it is now."""
        return Histogram(list(self.buckets), self.total)

    def to_json(self) -> Json:
        """For `of_json`."""
        return [self.total, *self.buckets]

    @classmethod
    def of_json(cls, value: Json) -> Histogram:
        """What `to_json` made; raises TypeError or ValueError."""
        if not isinstance(value, list) or len(value) != len(SECONDS) + 2:
            raise ValueError(f"{value!r} is not a histogram")
        return cls([_count(each) for each in value[1:]], _number(value[0]))


@dataclass(slots=True)
class ProcessTally:
    """One module, or jlaunchd or the launcher."""

    exits: dict[str, int] = field(default_factory=dict)
    """By cause."""
    failures: int = 0
    """Exits that nobody had asked for."""
    starts: int = 0
    hangs: int = 0
    thrashes: int = 0
    faults: int = 0
    """Faults injected."""
    downtime: Histogram = field(default_factory=Histogram)
    """From an exit to the successor's readiness."""
    ready: Histogram = field(default_factory=Histogram)
    """From a start to readiness."""
    ready_seconds: float = 0.0
    """The newest of those."""
    started_ns: int = 0
    """CLOCK_MONOTONIC of the newest start, and whose it was."""
    incarnation: int = 0
    gone_ns: int = 0
    """CLOCK_MONOTONIC of the newest end; 0 once its successor was ready."""

    def count(self, record: Mapping[str, Json]) -> None:
        """Count one event."""
        match record.get("event"):
            case "start":
                self.starts += 1
                self.started_ns = _lenient(record.get("monotonic_ns"))
                self.incarnation = _lenient(record.get("incarnation"))
            case "ready":
                self._ready(record)
            case "exit":
                self._exit(str(record.get("cause")))
                self.gone_ns = _lenient(record.get("monotonic_ns"))
            case "hang":
                self.hangs += 1
            case "thrash":
                self.thrashes += 1
            case "fault":
                self.faults += 1
            case _:
                pass

    def _ready(self, record: Mapping[str, Json]) -> None:
        if self.incarnation == record.get("incarnation"):
            took = (_lenient(record.get("monotonic_ns")) - self.started_ns) / 1e9
            self.ready_seconds = max(0.0, took)
            self.ready.add(took)
        downtime = record.get("downtime_ms")
        if isinstance(downtime, int | float):
            self.downtime.add(downtime / 1e3)
        elif self.gone_ns:  # init does not say how long jlaunchd was away
            self.downtime.add((_lenient(record.get("monotonic_ns")) - self.gone_ns) / 1e9)
        self.gone_ns = 0

    def _exit(self, cause: str) -> None:
        if not cause.startswith(REQUESTED):
            self.failures += 1
        if cause not in self.exits and len(self.exits) >= MAX_CAUSES:
            cause = OTHER
        self.exits[cause] = self.exits.get(cause, 0) + 1

    def copy(self) -> ProcessTally:
        """As it is now, for another thread to read."""
        downtime, ready = self.downtime.copy(), self.ready.copy()
        return replace(self, exits=dict(self.exits), downtime=downtime, ready=ready)

    def to_json(self) -> Json:
        """For `of_json`."""
        return {
            "exits": dict(self.exits),
            "failures": self.failures,
            "starts": self.starts,
            "hangs": self.hangs,
            "thrashes": self.thrashes,
            "faults": self.faults,
            "downtime": self.downtime.to_json(),
            "ready": self.ready.to_json(),
            "ready_seconds": self.ready_seconds,
            "started_ns": self.started_ns,
            "incarnation": self.incarnation,
            "gone_ns": self.gone_ns,
        }

    @classmethod
    def of_json(cls, value: Json) -> ProcessTally:
        """What `to_json` made; raises KeyError, TypeError or ValueError."""
        fields = _object(value)
        return cls(
            exits={cause: _count(number) for cause, number in _object(fields["exits"]).items()},
            failures=_count(fields["failures"]),
            starts=_count(fields["starts"]),
            hangs=_count(fields["hangs"]),
            thrashes=_count(fields["thrashes"]),
            faults=_count(fields["faults"]),
            downtime=Histogram.of_json(fields["downtime"]),
            ready=Histogram.of_json(fields["ready"]),
            ready_seconds=_number(fields["ready_seconds"]),
            started_ns=_count(fields["started_ns"]),
            incarnation=_count(fields["incarnation"]),
            gone_ns=_count(fields["gone_ns"]),
        )


class Tally:
    """All processes."""

    def __init__(self) -> None:
        self.processes: dict[str, ProcessTally] = {}
        self.events: dict[str, int] = {}
        """Records by their event."""

    def count(self, record: Mapping[str, Json]) -> None:
        """Count one event record."""
        event = str(record.get("event"))
        self.events[event] = self.events.get(event, 0) + 1
        self.of(str(record.get("name"))).count(record)

    def of(self, name: str) -> ProcessTally:
        """The counters of one process, all 0 for one that nothing has happened to."""
        return self.processes.setdefault(name, ProcessTally())

    def to_json(self) -> Message:
        """For `of_json`."""
        return {
            "processes": {name: each.to_json() for name, each in self.processes.items()},
            "events": dict(self.events),
        }

    @classmethod
    def of_json(cls, value: Json) -> Tally:
        """What `to_json` made; raises KeyError, TypeError or ValueError."""
        fields = _object(value)
        tally = cls()
        for name, each in _object(fields["processes"]).items():
            tally.processes[name] = ProcessTally.of_json(each)
        for event, number in _object(fields["events"]).items():
            tally.events[event] = _count(number)
        return tally


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is not an object")
    return value


def _count(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a count")
    return value


def _number(value: Json) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _lenient(value: Json) -> int:
    """A record comes from a file that anybody may have edited: what is no number there is 0."""
    return value if isinstance(value, int) else 0

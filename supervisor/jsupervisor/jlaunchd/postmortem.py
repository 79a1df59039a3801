"""The post-mortem of a module that failed: everything that is known of its end, in one core file.

Made in a thread, after the journal, out of what lies on disk: the crash trace that the process wrote, its
stderr, eventd's log, the journal. Init tells of an end until it is acknowledged, and that is done when the
core is written: so none is lost when jlaunchd dies, and one that was written already is not written twice.
A full disk costs the core and one warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd.plan import SAVED_CORE_FILES
from jsupervisor.runtime import rotate
from jsupervisor.runtime.clock import Clock, rfc3339
from jsupervisor.runtime.cores import Core, CoreError, core_path, cores, read_core, write_core
from jsupervisor.runtime.crash import trace_path

LINES: Final = 40
LINE_MAX: Final = 4096
EVENTS: Final = 20
FEW: Final = 200
"""With fewer records than these the journal has just been rotated."""
TRACE_MAX: Final = 256 * 1024
TAIL: Final = 128 * 1024
"""Octets at the end of a log that are looked through."""
CORE_PATTERN: Final = Path("/proc/sys/kernel/core_pattern")
_HANGS: Final = ("hang", "start-timeout")
_TRACE: Final = re.compile(r"\.(.+)\.(\d+)\.trace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """An end as init told of it, and how many cores of the module are kept."""

    name: str
    executable: str
    incarnation: int
    pid: int
    ended: str
    ordered: str
    monotonic_ns: int
    usage: Message
    dumped: bool = False
    keep: int = SAVED_CORE_FILES

    @classmethod
    def of_notice(cls, notice: Message, executable: str, keep: int) -> Death:
        """Of init's notice `exit`."""
        usage = notice.get("usage")
        return cls(
            name=str(notice["name"]),
            executable=executable,
            incarnation=_int(notice["incarnation"]),
            pid=_int(notice["pid"]),
            ended=str(notice["cause"]),
            ordered=str(notice.get("ordered") or ""),
            monotonic_ns=_int(notice["monotonic_ns"]),
            usage=dict(usage) if isinstance(usage, dict) else {},
            dumped=bool(notice.get("dumped")),
            keep=keep,
        )

    @classmethod
    def of_record(cls, record: Message) -> Death:
        """Of jlaunchd or the launcher, of whose ends init tells by an event record."""
        return cls(
            name=str(record["name"]),
            executable=str(record["name"]),
            incarnation=_int(record["incarnation"]),
            pid=0,
            ended=str(record["cause"]),
            ordered="",
            monotonic_ns=_int(record["monotonic_ns"]),
            usage={},
        )

    @property
    def identity(self) -> tuple[str, int, int, int]:
        """As of its core."""
        return self.name, self.incarnation, self.pid, self.monotonic_ns

    @property
    def cause(self) -> str:
        """Why, as far as init knows."""
        return self.ordered if self.ordered in _HANGS else self.ended

    @property
    def failure(self) -> bool:
        """Was it more than an end in order? An abort by request leaves a core: that is what it is for."""
        if self.ordered.startswith("requested:"):
            return self.ended == "signal:SIGABRT"
        return self.ended != "exit:0"


@dataclass(frozen=True, slots=True)
class Life:
    """What the journal has of the incarnation that died, of this module's others, and of what came after."""

    start: Message
    ready: Message
    end: Message
    successor_ns: int
    """When a later incarnation became ready; 0 if none has."""
    events: Sequence[Message]


def life_of(death: Death, records: Sequence[Message]) -> Life:
    """Out of all records; what is not there is empty.

    An earlier boot of the same instance had incarnations of the same numbers: what counts begins with
    the last start of this one.
    """
    events = [record for record in records if record["name"] == death.name]
    first = 0
    for index, record in enumerate(events):
        if record["event"] == "start" and record.get("incarnation") == death.incarnation:
            first = index
    found: dict[str, Message] = {}
    successor = 0
    for record in events[first:]:
        incarnation = _int(record.get("incarnation"))
        if incarnation == death.incarnation:
            found[str(record["event"])] = record
        elif incarnation > death.incarnation and record["event"] == "ready":
            successor = successor or _int(record.get("monotonic_ns"))
    start, ready, end = (found.get(event, {}) for event in ("start", "ready", "exit"))
    return Life(start, ready, end, successor, events)


class Postmortem:
    """Writes the core files of one instance."""

    def __init__(self, home: Path, clock: Clock) -> None:
        self._home = home
        self._clock = clock
        self._folder = home / "crash"
        self.error = ""
        """Why the last core could not be written; empty when it could."""

    def examine(self, deaths: Sequence[Death]) -> list[Path]:
        """Write what is to be kept of these; the files, in their order. Raises nothing."""
        written = []
        for death in deaths:
            try:
                path = self._keep(death) if death.failure and death.keep else None
                self._discard_traces(death)
            except OSError as error:
                self.error = f"cannot keep a core of {death.name}: {error.strerror}"
                continue
            if path is not None:
                self.error = ""
                written.append(path)
        return written

    def _keep(self, death: Death) -> Path | None:
        """Write the core, unless it is there already; raises OSError."""
        found = cores(self._folder, death.name)
        if any(_identity(path) == death.identity for _, _, path in found):
            return None
        taken = {number for _, number, _ in found}
        oldest = [number for _, number, _ in found if number < death.keep]
        number = next((n for n in range(death.keep) if n not in taken), None)
        path = core_path(self._folder, death.name, oldest[0] if number is None else number)
        write_core(self._core(death), path)
        rest = [other for _, _, other in found if other != path]
        while len(rest) >= death.keep:  # the limit was lowered
            rest.pop(0).unlink(missing_ok=True)
        return path

    def _core(self, death: Death) -> Core:
        life = life_of(death, tail_records(self._home / "journal.jsonl"))
        return Core(
            module=death.name,
            executable=death.executable,
            incarnation=death.incarnation,
            pid=death.pid,
            cause=str(life.end.get("cause") or death.cause),
            ended=death.ended,
            ordered=death.ordered,
            monotonic_ns=death.monotonic_ns,
            time=self._time(death.monotonic_ns),
            started=str(life.start.get("time", "")),
            ready=str(life.ready.get("time", "")),
            lived_ms=_between(life.start, death.monotonic_ns),
            downtime_ms=((life.successor_ns or self._clock.monotonic_ns()) - death.monotonic_ns)
            / 1e6,
            recovered=life.successor_ns != 0,
            attempt=_int(life.end.get("attempt")),
            next=str(life.end.get("next", "")),
            utime=_number(death.usage.get("utime")),
            stime=_number(death.usage.get("stime")),
            maxrss_kb=_int(death.usage.get("maxrss_kb")) or None,
            kernel_core=kernel_core(death) if death.dumped else "",
            trace=self._trace(death),
            stderr=tuple(tail_lines(self._home / "log" / f"{death.name}.stderr")[-LINES:]),
            log=self._log(death),
            events=tuple(life.events[-EVENTS:]),
        )

    def _time(self, monotonic_ns: int) -> str:
        """The time of day of a moment not long ago."""
        since = timedelta(microseconds=(self._clock.monotonic_ns() - monotonic_ns) / 1000)
        return rfc3339(self._clock.utcnow() - since)

    def _trace(self, death: Death) -> str:
        path = trace_path(str(self._home), death.name, death.incarnation)
        try:
            with open(path, "rb") as file:
                return file.read(TRACE_MAX).decode(errors="replace")
        except OSError:
            return ""

    def _log(self, death: Death) -> tuple[str, ...]:
        """What eventd has of this process, and of its predecessors."""
        # Nov 23 08:55:43  r1 rpd[4711]: TAG: text
        wanted = re.compile(rf" {re.escape(death.name)}\[\d+\]: ")
        lines = tail_lines(self._home / "log" / "messages")
        return tuple([line for line in lines if wanted.search(line)][-LINES:])

    def _discard_traces(self, death: Death) -> None:
        """The trace of this incarnation, and of those before it that nobody asked for."""
        for path in self._folder.glob(f".{death.name}.*.trace"):
            match = _TRACE.fullmatch(path.name)
            if match and match[1] == death.name and int(match[2]) <= death.incarnation:
                path.unlink(missing_ok=True)


def tail_lines(path: Path, most: int = TAIL) -> list[str]:
    """The last whole lines of a log, `most` octets; none when it cannot be read."""
    try:
        data = rotate.tail(path, most)
    except OSError:
        return []
    lines = data.decode(errors="replace").splitlines()
    whole = lines[1:] if len(data) >= most else lines
    return [line[:LINE_MAX] for line in whole]


def tail_records(journal: Path) -> list[Message]:
    """The newest event records, oldest first; also of its predecessor when it has just been rotated."""
    records = _records(tail_lines(journal))
    if len(records) >= FEW:
        return records
    earlier = [line.decode(errors="replace") for line in rotate.lines(journal, 0)[-FEW:]]
    return [*_records(earlier), *records]


def _records(lines: Sequence[str]) -> list[Message]:
    records: list[Message] = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "name" in record and "event" in record:
            records.append(record)
    return records


def kernel_core(death: Death, pattern: Path = CORE_PATTERN) -> str:
    """Where the kernel put its image of memory, as core(5) has it; words when that is no file."""
    try:
        text = pattern.read_text().strip()
    except OSError:
        return "where the kernel's core_pattern says"
    if text.startswith("|"):
        return f"given to {text[1:].split()[0]} by the kernel"
    if "%" not in text.replace("%p", "").replace("%e", ""):
        path = Path("/", text.replace("%p", str(death.pid)).replace("%e", death.name))
        for found in (path.with_name(f"{path.name}.{death.pid}"), path):
            if found.is_file():
                return str(found)
    return f"by the kernel's core_pattern: {text}"


def _identity(path: Path) -> tuple[str, int, int, int] | None:
    try:
        return read_core(path).identity
    except CoreError:
        return None


def _between(start: Message, end_ns: int) -> float | None:
    return (end_ns - _int(start.get("monotonic_ns"))) / 1e6 if start else None


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None

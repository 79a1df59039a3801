"""Everything that is known of one module, as a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from jsupervisor.cli.render.postmortem import Section
from jsupervisor.cli.wording import particulars
from jsupervisor.observer.events import EventRecord
from jsupervisor.top import words
from jsupervisor.top.model import Known, Model, Row
from jsupervisor.top.samples import Calls, Counts

SHOWN_EVENTS: Final = 200
SHOWN_METHODS: Final = 12
_LABEL: Final = 12


def page(model: Model, name: str, now_ns: int) -> list[Section]:
    """Facts, counters, calls and history of a module or a process of supervision."""
    row = model.view(now_ns).find(name)
    if row is None:
        return [Section("", [f"{name}: it is gone"])]
    known = model.known(name)
    history = [record for record in model.events if record.name == name]
    sections = [Section("", list(_facts(row, known)))]
    if known.counts is not None:
        sections.append(Section("Counted since the instance started", list(_counted(known.counts))))
        if known.counts.calls:
            sections.append(Section("Calls served", _calls(known.counts.calls)))
    sections.append(Section("History", _history(history) or ["nothing yet"]))
    return sections


def _line(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}{text}"


def _facts(row: Row, known: Known) -> Iterator[str]:
    status, use = known.status, known.use
    yield f"{row.name}: {row.state}" + (" when it was last seen" if row.stale else "")
    if status is not None and status.executable:
        yield _line("executable", status.executable)
    yield _line(
        "process", f"PID {words.count(row.pid)}, incarnation {words.count(row.incarnation)}"
    )
    if status is not None and status.policy:
        yield _line("policy", f"{status.policy}, failures that count: {status.failures}")
    if status is not None and status.group:
        yield _line("group", status.group)
    if status is not None and status.waits_for:
        yield _line("waits for", ", ".join(status.waits_for))
    yield _line("up", words.age(row.up_seconds))
    yield _line("restarts", f"{words.count(row.restarts)}, last cause {row.cause or words.NONE}")
    still = ", not ready yet" if row.still_down else ""
    yield _line("downtime", f"last {words.span(row.down_seconds)}{still}")
    if use is not None and row.pid is not None:
        yield _line(
            "processor", f"{words.percent(row.cpu_percent)}%, {use.cpu_seconds:.2f} s in all"
        )
        yield _line(
            "memory",
            f"{words.size(use.resident_bytes)}, {use.threads} threads, {use.open_fds} descriptors",
        )
    if status is not None and status.socket:
        yield _line("socket", status.socket)


def _counted(counts: Counts) -> Iterator[str]:
    exits = ", ".join(f"{cause} {number}" for cause, number in sorted(counts.exits.items()))
    yield _line("exits", exits or "none")
    yield _line("failures", f"{counts.failures}; hangs {counts.hangs}; given up {counts.thrashes}")
    total, number = counts.downtime_seconds, counts.downtimes
    mean = f", {words.span(total / number)} on average" if number else ""
    yield _line("downtime", f"{words.span(total)} in all; gaps {number}{mean}")
    yield _line("start", f"{words.span(counts.ready_seconds or None)} to readiness")
    if counts.heartbeats:
        yield _line(
            "heartbeats",
            f"{counts.heartbeats}, {counts.heartbeats_missed} missed,"
            f" the newest took {words.span(counts.heartbeat_seconds)}",
        )


def _calls(calls: Sequence[Calls]) -> list[str]:
    busiest = sorted(calls, key=lambda each: -each.handled)[:SHOWN_METHODS]
    lines = [f"{'METHOD':<44} {'CODE':<18} {'CALLS':>9} {'MEAN':>7}"]
    for each in busiest:
        method = "/".join(part.rpartition(".")[2] for part in each.method.strip("/").split("/"))
        mean = words.span(each.seconds / each.handled if each.handled else None)
        lines.append(f"{method:<44} {each.code:<18} {each.handled:>9} {mean:>7}")
    return lines


def _history(records: Sequence[EventRecord]) -> list[str]:
    newest_first = list(reversed(records[-SHOWN_EVENTS:]))
    return [
        f"{record.time[11:23]}  {record.event:<9} {particulars(record)}" for record in newest_first
    ]

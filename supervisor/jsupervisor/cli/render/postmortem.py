"""A post-mortem as a page, and the list of those there are. Pure: cores in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from jsupervisor.cli.render.stacks import stacks
from jsupervisor.cli.wording import ended, process_name
from jsupervisor.initproto import Message
from jsupervisor.runtime.cores import Core

_LABEL: Final = 11


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a page: a heading, empty for the facts at the top, and its lines."""

    heading: str
    lines: Sequence[str]


def page(core: Core, number: int, path: str) -> list[Section]:
    """Everything that a core says, the most important first."""
    parts: Sequence[tuple[str, Sequence[str]]] = (
        ("", [*_facts(core, number, path)]),
        ("Stacks", stacks(core.trace) or [_no_trace(core)]),
        ("Events", [_event(each, core) for each in core.events] or ["none in the journal"]),
        ("Log", core.log or ["nothing"]),
        ("Standard error", core.stderr or ["nothing"]),
    )
    return [Section(heading, [_printable(line) for line in lines]) for heading, lines in parts]


def plain(sections: Sequence[Section]) -> str:
    """The page for a file or a pipe."""
    parts = []
    for section in sections:
        head = [section.heading, "-" * len(section.heading)] if section.heading else []
        parts.append("\n".join([*head, *section.lines]))
    return "\n\n".join(parts) + "\n"


def listing(found: Sequence[tuple[int, Core]]) -> str:
    """One line for each core, the newest first."""
    rows = [("MODULE", "CORE", "TIME", "INC", "PID", "CAUSE", "DOWN", "THEN")]
    rows += [
        (
            core.module, str(number), core.time, str(core.incarnation), str(core.pid or "-"),
            core.cause, _down(core), core.next or "-",
        )
        for number, core in found
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(lines) + "\n"


def _facts(core: Core, number: int, path: str) -> Iterator[str]:
    pid = f", PID {core.pid}" if core.pid else ""
    name = process_name(core.module)
    who = core.module if name == core.module else f"{name} ({core.module})"
    yield f"{who} incarnation {core.incarnation}{pid}"
    yield _fact("Cause", _cause(core))
    yield _fact("Ended", core.time + _lived(core))
    if core.started:
        yield _fact("Started", core.started + (f", ready {core.ready}" if core.ready else ""))
    attempt = f"failure {core.attempt}: " if core.attempt else ""
    yield _fact("Then", attempt + (core.next or "no decision is known"))
    yield _fact("Downtime", _down(core))
    yield _fact("Used", _used(core))
    if core.kernel_core:
        yield _fact("Image", core.kernel_core)
    yield _fact("File", f"{path} (core {number})")


def _printable(line: str) -> str:
    """Whatever a dying module wrote, the terminal is not its to command."""
    return "".join(c if c.isprintable() else "\ufffd" for c in line.expandtabs())


def _fact(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}{text}"


def _cause(core: Core) -> str:
    match core.cause:
        case "hang":
            words = "hang: it missed its heartbeats"
        case "start-timeout":
            words = "start-timeout: it was not ready in time"
        case cause:
            return ended(cause) + (", ordered as a fault" if core.ordered == "fault" else "")
    return f"{words}; {ended(core.ended)}"


def _lived(core: Core) -> str:
    return "" if core.lived_ms is None else f", after {duration(core.lived_ms)}"


def _down(core: Core) -> str:
    if core.downtime_ms is None:
        return "unknown"
    return duration(core.downtime_ms) + ("" if core.recovered else " and still down")


def _used(core: Core) -> str:
    if core.utime is None or core.stime is None or core.maxrss_kb is None:
        return "unknown"
    memory = f"{core.maxrss_kb / 1024:.1f} MiB of memory at most"
    return f"{core.utime:.2f} s user, {core.stime:.2f} s system, {memory}"


def _no_trace(core: Core) -> str:
    if core.ended == "signal:SIGKILL":
        return "none: SIGKILL leaves no time for it"
    return "none was written"


def _event(record: Message, core: Core) -> str:
    """With the milliseconds before or after the end."""
    at = record.get("monotonic_ns")
    offset = (at - core.monotonic_ns) / 1e6 if isinstance(at, int) else 0.0
    words = [str(record.get(key) or "") for key in ("event", "cause", "next")]
    number = f"#{record.get('incarnation')}"
    return f"{offset:>+13.1f} ms  {number:<5}" + "  ".join(word for word in words if word)


def duration(ms: float) -> str:
    """In the unit that a person would choose."""
    if ms < 1000:
        return f"{ms:.1f} ms"
    if ms < 120_000:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(int(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"

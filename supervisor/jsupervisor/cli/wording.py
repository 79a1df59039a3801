"""Events in words: Junos' own for init's log lines, columns for the history. Pure."""

from __future__ import annotations

import signal
from typing import Final

from jsupervisor.observer.events import EventRecord
from jsupervisor.runtime.names import daemon_name, executable_of

_NAME_WIDTH: Final = 10
_EVENT_WIDTH: Final = 8


def process_name(module: str) -> str:
    """The CLI name, with the module's number where there are several: "routing", "pfe-control0"."""
    executable = executable_of(module)
    return daemon_name(executable).cli_name + module.removeprefix(executable)


def log_line(record: EventRecord, pid: int | None = None) -> str:
    """The event as init would log it: "init: routing (PID 1411) started"."""
    who = process_name(record.name) + (f" (PID {pid})" if pid else "")
    return f"init: {who} {_happened(record)}"


def _happened(record: EventRecord) -> str:
    match record.event:
        case "start":
            return "started"
        case "serving":
            return "is serving"
        case "ready":
            return _ready(record)
        case "forwarding":
            return "is forwarding"
        case "exit":
            return ended(record.cause) + (f", {record.next}" if record.next else "")
        case "hang":
            return f"does not respond ({record.cause}), killed"
        case "restart":
            return f"is restarted {record.cause.removeprefix('requested:')}"
        case "thrash":
            return "is thrashing, not restarted"
        case "adopt":
            return "adopted"
        case "fault":
            return f"takes the fault {record.cause}"
        case other:
            return " ".join(word for word in (other, record.cause, record.next) if word)


def _ready(record: EventRecord) -> str:
    if record.downtime_ms is None:
        return "is ready"
    return f"is ready again after {record.downtime_ms:.1f} ms"


def ended(cause: str) -> str:
    """How a process ended, in Junos' words."""
    kind, _, what = cause.partition(":")
    if kind == "signal":
        try:
            return f"terminated by signal number {signal.Signals[what].value} ({what})"
        except KeyError:
            return f"terminated by signal number {what}"
    if kind == "exit":
        normal = " Normal Exit" if what == "0" else ""
        return f"exited with status={what}{normal}"
    if kind == "requested":
        return f"ended as requested ({what})"
    return f"exited ({cause})" if cause else "exited"


def history_line(record: EventRecord) -> str:
    """The event as a line of `jsupervisor events`."""
    return (
        f"{record.time}  {record.name:<{_NAME_WIDTH}} {record.event:<{_EVENT_WIDTH}}"
        f" {particulars(record)}"
    )


def particulars(record: EventRecord) -> str:
    """Of whom, why, how long and what next: the event without its time, name and kind."""
    about = [f"#{record.incarnation}"]
    if record.cause:
        about.append(record.cause)
    if record.downtime_ms is not None:
        about.append(f"down {record.downtime_ms:.1f} ms")
    if record.attempt:
        about.append(f"attempt {record.attempt}")
    if record.next:
        about.append(record.next)
    return ", ".join(about)

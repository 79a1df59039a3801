"""The boot log: what is printed while an instance comes up. Each line is an event, never theatre.

Three sources: init's events (in Junos' words), the status (whose process has which PID, and what
had happened before we could watch), and what modules log at level notice and above. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from jsupervisor.cli.wording import log_line, process_name
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.status import InstanceStatus

NOTABLE: Final = frozenset({"notice", "warning", "error", "critical"})
_QUIET: Final = frozenset({"serving"})
"""Events that say nothing to an operator: `ready` follows."""


class Narrator:
    """Turns what happens into lines, none twice."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._started_ns: dict[str, int] = {}
        self._told: set[tuple[str, int, str]] = set()

    def learn(self, status: InstanceStatus) -> None:
        """Take in who has which PID."""
        for known in (status.jlaunchd, status.launcher, *status.modules):
            if known.pid:
                self._pids[known.name] = known.pid

    def catch_up(self, status: InstanceStatus) -> list[str]:
        """What had happened before we could watch."""
        self.learn(status)
        lines = [f"init: started (PID {status.init_pid})"]
        for known in (status.launcher, status.jlaunchd, *status.modules):
            if known.pid and self._first(known.name, known.incarnation, "start"):
                lines.append(f"init: {process_name(known.name)} (PID {known.pid}) started")
            if known.state == "up" and self._first(known.name, known.incarnation, "ready"):
                lines.append(f"init: {process_name(known.name)} (PID {known.pid}) is ready")
        return lines

    def tell(self, record: EventRecord) -> list[str]:
        """The lines of one event."""
        if record.event == "start":
            self._started_ns[record.name] = record.monotonic_ns
        once = record.event in ("start", "ready", "serving")
        if once and not self._first(record.name, record.incarnation, record.event):
            return []
        if record.event in _QUIET:
            return []
        line = log_line(record, self._pids.get(record.name))
        if record.event == "ready" and record.downtime_ms is None:
            line += self._since_start(record)
        if record.event == "exit":
            self._pids.pop(record.name, None)
        lines = [line]
        if record.event == "ready" and record.name == "mgd" and record.incarnation == 1:
            lines.append("Creating initial configuration...mgd: ready")
        return lines

    def _first(self, name: str, incarnation: int, event: str) -> bool:
        key = (name, incarnation, event)
        if key in self._told:
            return False
        self._told.add(key)
        return True

    def _since_start(self, record: EventRecord) -> str:
        started = self._started_ns.get(record.name)
        if started is None:
            return ""
        return f", {(record.monotonic_ns - started) / 1e6:.0f} ms after its start"


def notable(line: str) -> str:
    """What a line of messages.jsonl adds to the boot log; empty when it is nothing for an operator.

    jlaunchd says in its log what its events have told already.
    """
    try:
        record: object = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(record, Mapping) or record.get("module") == "jlaunchd":
        return ""
    if record.get("severity") not in NOTABLE:
        return ""
    return f"{record.get('module')}: {record.get('text')}"

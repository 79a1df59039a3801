"""A module's log: structured records with a severity and a tag, which never make the module wait.

structlog carries each record through its processors; where records leave is a `Sink`, so that the
same log ends in eventd's stream, in eventd's own collector, or in a test's list. Until the sink is
known, and while eventd is dead, records wait in a `Backlog` that keeps the newest.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from importlib import import_module
from typing import Any, Final, cast

from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Record, Severity, Sink, Tag

# For tracebacks that nobody here draws structlog would import rich: 4.5 MB in each of two interpreters.
_modules = cast("dict[str, object]", sys.modules)
_absent = _modules.setdefault("rich", None) is None
import_module("structlog")
if _absent:
    del sys.modules["rich"]

import structlog

__all__ = ["Backlog", "Log", "Record", "Severity", "Sink", "Tag"]

BACKLOG: Final = 2048


class Backlog:
    """The newest records that have not left yet; older ones are dropped and counted."""

    def __init__(self, size: int = BACKLOG) -> None:
        self._records: deque[Record] = deque()
        self._size = size
        self.dropped = 0
        self.ended = False
        """No record will follow."""
        self.on_change: Callable[[], None] | None = None
        """Called after a record came or the end; in whichever thread that was."""

    def __call__(self, record: Record) -> None:
        """Take a record: a backlog is a sink."""
        if len(self._records) >= self._size:
            self._records.popleft()
            self.dropped += 1
        self._records.append(record)
        self._tell()

    def __len__(self) -> int:
        return len(self._records)

    def end(self) -> None:
        """Whoever empties this may stop when it is empty."""
        self.ended = True
        self._tell()

    def pop(self) -> Record | None:
        """The oldest record, taken out; None when there is none."""
        return self._records.popleft() if self._records else None

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change()


class Log:
    """Writes a module's records to a sink. `tag` is a member of a vocabulary enum."""

    def __init__(self, order: Order, clock: Clock, sink: Sink) -> None:
        self._order = order
        self._clock = clock
        self._pid = os.getpid()
        self._numbers = itertools.count(1)
        self.sink = sink
        self._logger = structlog.wrap_logger(
            None, processors=[self._stamp, self._emit], wrapper_class=_Proxy, context_class=dict
        ).bind()

    def debug(self, tag: str, text: str, **fields: object) -> None:
        """For whoever debugs this module."""
        self._logger.write(Severity.DEBUG, tag, text, fields)

    def info(self, tag: str, text: str, **fields: object) -> None:
        """Normal operation."""
        self._logger.write(Severity.INFO, tag, text, fields)

    def notice(self, tag: str, text: str, **fields: object) -> None:
        """Normal, but an operator wants to see it."""
        self._logger.write(Severity.NOTICE, tag, text, fields)

    def warning(self, tag: str, text: str, **fields: object) -> None:
        """Something may need attention."""
        self._logger.write(Severity.WARNING, tag, text, fields)

    def error(self, tag: str, text: str, **fields: object) -> None:
        """Something did not work."""
        self._logger.write(Severity.ERROR, tag, text, fields)

    def critical(self, tag: str, text: str, **fields: object) -> None:
        """The module cannot do its work."""
        self._logger.write(Severity.CRITICAL, tag, text, fields)

    def _stamp(self, logger: object, method: str, event: _Event) -> _Event:
        event["record"] = Record(
            time_ns=self._clock.time_ns(),
            monotonic_ns=self._clock.monotonic_ns(),
            module=self._order.name,
            executable=self._order.executable,
            pid=self._pid,
            incarnation=self._order.incarnation,
            severity=event["severity"],
            tag=str(event["tag"]),
            text=event["event"],
            fields={name: str(value) for name, value in event["fields"].items()},
            number=next(self._numbers),
        )
        return event

    def _emit(self, logger: object, method: str, event: _Event) -> _Event:
        self.sink(event["record"])
        raise structlog.DropEvent


_Event = MutableMapping[str, Any]


class _Proxy(structlog.BoundLoggerBase):
    """The way into structlog's processors."""

    def write(self, severity: Severity, tag: str, text: str, fields: Mapping[str, object]) -> None:
        """Send one record through."""
        self._proxy_to_logger("write", text, severity=severity, tag=tag, fields=fields)

"""The packet engine's log: lines of JSON on its stderr file, and the newest of them in a ring.

Same records and tags as everywhere; there is only nobody to ship them, since the engine speaks no gRPC.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from typing import Final

from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Record, Severity, Sink

RING: Final = 64


class LeanLog:
    """Writes records; the methods are those of the full runtime's log."""

    def __init__(self, order: Order) -> None:
        self.ring: deque[Record] = deque(maxlen=RING)
        """The newest records."""
        self.sink: Sink = _to_stderr
        """Where records leave, besides the ring."""
        self._order = order
        self._pid = os.getpid()
        self._number = 0

    def debug(self, tag: str, text: str, **fields: object) -> None:
        """For whoever debugs this module."""
        self._write(Severity.DEBUG, tag, text, fields)

    def info(self, tag: str, text: str, **fields: object) -> None:
        """Normal operation."""
        self._write(Severity.INFO, tag, text, fields)

    def notice(self, tag: str, text: str, **fields: object) -> None:
        """Normal, but an operator wants to see it."""
        self._write(Severity.NOTICE, tag, text, fields)

    def warning(self, tag: str, text: str, **fields: object) -> None:
        """Something may need attention."""
        self._write(Severity.WARNING, tag, text, fields)

    def error(self, tag: str, text: str, **fields: object) -> None:
        """Something did not work."""
        self._write(Severity.ERROR, tag, text, fields)

    def critical(self, tag: str, text: str, **fields: object) -> None:
        """The module cannot do its work."""
        self._write(Severity.CRITICAL, tag, text, fields)

    def _write(self, severity: Severity, tag: str, text: str, fields: dict[str, object]) -> None:
        self._number += 1
        record = Record(
            time_ns=time.time_ns(),
            monotonic_ns=time.monotonic_ns(),
            module=self._order.name,
            executable=self._order.executable,
            pid=self._pid,
            incarnation=self._order.incarnation,
            severity=severity,
            tag=str(tag),
            text=text,
            fields={name: str(value) for name, value in fields.items()},
            number=self._number,
        )
        self.ring.append(record)
        self.sink(record)


def _to_stderr(record: Record) -> None:
    print(record.to_line(), file=sys.stderr, flush=True)

"""A module's log: structured records with a severity and a tag, which never make the module wait.

structlog carries the record through its processors; where records leave is a `Sink`, so that the
same log ends in eventd's stream, in eventd's own collector, or in a test's list.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import structlog
from structlog.typing import EventDict, WrappedLogger

from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Record, Severity, Sink, Tag

__all__ = ["Log", "Record", "Severity", "Sink", "Tag"]


class Log:
    """Writes a module's records to a sink. `tag` is a member of a vocabulary enum."""

    def __init__(self, order: Order, clock: Clock, sink: Sink) -> None:
        self._order = order
        self._clock = clock
        self._numbers = itertools.count(1)
        self.sink = sink
        self._logger = structlog.wrap_logger(
            None, processors=[self._stamp, self._emit], wrapper_class=structlog.BoundLoggerBase
        )

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

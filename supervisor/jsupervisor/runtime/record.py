"""One line of a log before it is a line: severity, tag, text and fields.

The tags are the vocabulary that operators and tests search for, as in Junos' system log: the runtime's
stand here, a daemon lists its own in an enum of the same kind. Standard library alone: the packet
engine logs too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum, StrEnum
from typing import Final


class Severity(IntEnum):
    """Numbers as in eventd.proto."""

    DEBUG = 1
    INFO = 2
    NOTICE = 3
    WARNING = 4
    ERROR = 5
    CRITICAL = 6


class Tag(StrEnum):
    """What the runtime itself has to say, on behalf of any module."""

    MODULE_START = "MODULE_START"
    MODULE_READY = "MODULE_READY"
    MODULE_STOP = "MODULE_STOP"
    MODULE_RELOAD = "MODULE_RELOAD"
    FAULT_INJECTED = "FAULT_INJECTED"
    FEED_SYNCED = "FEED_SYNCED"
    FEED_LOST = "FEED_LOST"
    FEED_REFUSED = "FEED_REFUSED"
    RPC_FAILED = "RPC_FAILED"
    RPC_REFUSED = "RPC_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One log record; the fields of LogRecord in eventd.proto."""

    time_ns: int
    monotonic_ns: int
    module: str
    executable: str
    pid: int
    incarnation: int
    severity: Severity
    tag: str
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    number: int = 0

    def to_line(self) -> str:
        """The record as one line of JSON, without the line's end."""
        values = {name: getattr(self, name) for name in _FIELDS}
        values["severity"] = self.severity.name.lower()
        values["fields"] = dict(self.fields)
        return json.dumps(values, separators=(",", ":"))


_FIELDS: Final = tuple(each.name for each in fields(Record))


Sink = Callable[[Record], None]
"""Where records leave. It must not block and must not raise."""

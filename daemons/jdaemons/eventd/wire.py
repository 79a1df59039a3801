"""Log records from the messages of eventd.proto, and the host name from the configuration."""

from __future__ import annotations

import json
from typing import Final

from jprotos.eventd.v1 import eventd_pb2
from jsupervisor.runtime.record import Record, Severity

MAX_TEXT: Final = 8 * 1024
"""Characters of text, and of all fields together: a module gone wild must not fill the memory."""

_NUMBERS: Final = frozenset(int(severity) for severity in Severity)


class WireError(ValueError):
    """An item of a feed cannot be read; the text, beginning with "cannot", names it."""


def read_record(message: eventd_pb2.LogRecord) -> Record:
    """The record in a message; what is too long in it is cut."""
    known = message.severity in _NUMBERS
    return Record(
        time_ns=message.time_ns,
        monotonic_ns=message.monotonic_ns,
        module=_cut(message.module, 64),
        executable=_cut(message.executable, 64),
        pid=message.pid,
        incarnation=message.incarnation,
        severity=Severity(message.severity) if known else Severity.INFO,
        tag=_cut(message.tag, 128),
        text=_cut(message.text, MAX_TEXT),
        fields=_fields(message),
        number=message.number,
    )


def read_host_name(value: bytes) -> str | None:
    """The name in the configuration's item `system`, if there is one; raises WireError."""
    try:
        system = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise WireError(f"cannot read the configuration of system: {error}") from error
    name = system.get("host-name") if isinstance(system, dict) else None
    if name is not None and not isinstance(name, str):
        raise WireError(f"cannot use {name!r} as the host name")
    return name


def _fields(message: eventd_pb2.LogRecord) -> dict[str, str]:
    fields = dict(message.fields)
    size = sum(len(name) + len(value) for name, value in fields.items())
    return fields if size <= MAX_TEXT else {"left-out": f"{len(fields)} fields, {size} characters"}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}..."

"""How a record looks as a line of the file `messages`: Junos' own layout.

    Nov 23 08:55:43  r1 rpd[4711]: RPD_TASK_BEGIN: Commencing routing updates

Times are UTC, which is Junos' default time zone. The process is named by its unique name, since an
instance has several pfectl.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from jsupervisor.runtime.record import Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# strftime would follow the locale.
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def messages_line(record: Record, host_name: str) -> str:
    """The record as one line, without the line's end."""
    time = _EPOCH + timedelta(microseconds=record.time_ns // 1000)
    stamp = f"{_MONTHS[time.month - 1]} {time.day:2} {time:%H:%M:%S}"
    return one_line(
        f"{stamp}  {host_name} {record.module}[{record.pid}]: {record.tag}: {record.text}"
    )


def one_line(text: str) -> str:
    r"""The text without anything that could end the line or move a terminal's cursor: \x0a for it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

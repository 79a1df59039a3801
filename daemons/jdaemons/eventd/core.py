"""Where records go: into two files and to every reader. Pure, no I/O and no clock.

Nobody ever waits here: a file that cannot be written and a reader that does not read lose records,
which are counted; the writer of a record and the other readers notice nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from jdaemons.eventd.events import (
    Command,
    Event,
    HostNamed,
    ReaderCame,
    ReaderLeft,
    RecordCame,
    Say,
    WakeReader,
    WakeWriters,
    WriteFailed,
    Written,
)
from jdaemons.eventd.layout import messages_line
from jdaemons.eventd.spool import Spool, Tail
from jsupervisor.runtime.record import Record, Severity

MESSAGES: Final = "messages"
MESSAGES_JSONL: Final = "messages.jsonl"


class EventdTag(StrEnum):
    """What eventd has to say."""

    EVENTD_WRITE_FAILED = "EVENTD_WRITE_FAILED"
    EVENTD_WRITE_RESUMED = "EVENTD_WRITE_RESUMED"
    EVENTD_CONFIG_READ_FAILED = "EVENTD_CONFIG_READ_FAILED"


class Core:
    """The collector."""

    def __init__(self, instance: str) -> None:
        """`instance` names the router until the configuration does."""
        self.spools = {MESSAGES: Spool(), MESSAGES_JSONL: Spool()}
        """By file name."""
        self.tails: dict[int, Tail] = {}
        self.failures: dict[str, int] = {}
        """Writes that failed in a row, by the name of the file that cannot be written now."""
        self._instance = instance
        self._host_name = instance

    def handle(self, event: Event) -> list[Command]:
        """Take what happened; what follows from it."""
        match event:
            case RecordCame(record):
                return self._collect(record)
            case HostNamed(name):
                self._host_name = name or self._instance
            case ReaderCame(reader, module):
                self.tails[reader] = Tail(module)
            case ReaderLeft(reader):
                self.tails.pop(reader, None)
            case Written(file):
                return self._written(file)
            case WriteFailed(file, reason):
                return self._write_failed(file, reason)
        return []

    def _collect(self, record: Record) -> list[Command]:
        self.spools[MESSAGES].add(_octets(messages_line(record, self._host_name)))
        self.spools[MESSAGES_JSONL].add(_octets(record.to_line()))
        readers = [reader for reader, tail in self.tails.items() if tail.offer(record)]
        return [WakeWriters(), *(WakeReader(reader) for reader in readers)]

    def _written(self, file: str) -> list[Command]:
        spool = self.spools[file]
        spool.done()
        if self.failures.pop(file, 0) == 0:
            return []
        lost, spool.lost = spool.lost, 0
        text = f"{file} is written again; {lost} records were lost"
        return [Say(Severity.NOTICE, EventdTag.EVENTD_WRITE_RESUMED, text)]

    def _write_failed(self, file: str, reason: str) -> list[Command]:
        """Only the first failure in a row is told: the rest say the same."""
        self.spools[file].failed()
        self.failures[file] = self.failures.get(file, 0) + 1
        if self.failures[file] > 1:
            return []
        text = f"cannot write {file}: {reason}; trying again until it can be written"
        return [Say(Severity.ERROR, EventdTag.EVENTD_WRITE_FAILED, text)]


def _octets(line: str) -> bytes:
    return line.encode(errors="backslashreplace") + b"\n"

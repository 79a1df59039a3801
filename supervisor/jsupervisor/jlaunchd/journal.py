"""The event history: on disk, one JSON record a line, written through before init may forget.

A full disk never stops the supervisor: what could not be written stays in memory, the newest first
to survive, and is written when there is room again.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Message
from jsupervisor.runtime import rotate

MAX_BYTES: Final = 4 * 1024 * 1024
FILES: Final = 10
IN_MEMORY: Final = 2000


class Journal:
    """Appends records to a file that is rotated when it has grown to `max_bytes`.

    Its predecessors are NAME.0, not compressed since it is read often, NAME.1.gz and so on.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, files: int = FILES) -> None:
        self.files = files
        """Predecessors that are kept."""
        self._path = path
        self._max_bytes = max_bytes
        self._unwritten: deque[Message] = deque(maxlen=IN_MEMORY)
        self.error = ""
        """Why the last write failed; empty when it did not."""
        self.failures = 0
        """How many writes failed."""

    def append(self, records: Sequence[Message]) -> bool:
        """Write and sync; False when the disk did not take everything."""
        self._unwritten.extend(records)
        text = "".join(json.dumps(record) + "\n" for record in self._unwritten).encode()
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._write(fd, text)
            finally:
                os.close(fd)
        except OSError as error:
            self.error = f"cannot write {self._path}: {error.strerror}"
            self.failures += 1
            return False
        self._unwritten.clear()
        self.error = ""
        return True

    def _write(self, fd: int, text: bytes) -> None:
        size = os.fstat(fd).st_size
        try:
            written = 0
            while written < len(text):
                written += os.write(fd, text[written:])
            os.fdatasync(fd)
        except OSError:
            os.ftruncate(fd, size)  # no half-written line, and none twice
            raise
        if size + len(text) > self._max_bytes:
            try:
                rotate.rotate(self._path, self.files, delay=True)
            except OSError:
                pass  # the records are written: it stays too long until the next time


def read_history(path: Path, limit: int = IN_MEMORY) -> list[Message]:
    """The newest records on disk, oldest first; lines that are no record are passed over."""
    newest_first: list[list[Message]] = []
    missing, number = limit, -1
    while missing > 0:
        found = _records(rotate.lines(path, number if number >= 0 else None), missing)
        if not found and number >= 0:
            break
        newest_first.append(found)
        missing -= len(found)
        number += 1
    return [record for part in reversed(newest_first) for record in part]


def _records(lines: Sequence[bytes], most: int) -> list[Message]:
    """The last records of some lines."""
    found: deque[Message] = deque()
    for line in reversed(lines):
        if len(found) == most:
            break
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            found.appendleft(record)
    return list(found)

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

MAX_BYTES: Final = 4 * 1024 * 1024
IN_MEMORY: Final = 2000


class Journal:
    """Appends records to a file that is moved to NAME.1 when it has grown to MAX_BYTES."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
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
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))


def read_history(path: Path, limit: int = IN_MEMORY) -> list[Message]:
    """The newest records on disk, oldest first; lines that are no record are passed over."""
    records: deque[Message] = deque(maxlen=limit)
    for part in (path.with_name(f"{path.name}.1"), path):
        try:
            lines = part.read_bytes().splitlines()
        except OSError:
            continue
        for line in lines[-limit:]:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
    return list(records)

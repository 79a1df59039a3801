"""Lines that wait for a file, and records that wait for a reader: both bounded, both count losses."""

from __future__ import annotations

from collections import deque
from typing import Final

from jsupervisor.runtime.record import Record

SPOOL_OCTETS: Final = 4 * 1024 * 1024
BATCH_OCTETS: Final = 256 * 1024
"""At most this much in one write; a longer line goes alone."""
TAIL_RECORDS: Final = 1000


class Spool:
    """Lines on their way to one file; while it cannot be written, the oldest are dropped."""

    def __init__(self, most: int = SPOOL_OCTETS) -> None:
        self._most = most
        self._lines: deque[bytes] = deque()
        self._octets = 0
        self._batch: list[bytes] = []
        self.lost = 0
        """Lines dropped since the count was last set to 0."""

    def add(self, line: bytes) -> None:
        """Let a line wait."""
        self._lines.append(line)
        self._octets += len(line)
        while self._octets > self._most:
            self._octets -= len(self._lines.popleft())
            self.lost += 1

    @property
    def waiting(self) -> int:
        """Lines that are not in the file, those under way included."""
        return len(self._lines) + len(self._batch)

    def begin(self) -> bytes:
        """The next batch; empty when nothing waits. `done` or `failed` follows it."""
        size = 0
        while self._lines and (not size or size + len(self._lines[0]) <= BATCH_OCTETS):
            line = self._lines.popleft()
            self._octets -= len(line)
            self._batch.append(line)
            size += len(line)
        return b"".join(self._batch)

    def done(self) -> None:
        """The batch is in the file."""
        self._batch.clear()

    def failed(self) -> None:
        """It is not: it waits again, in its old place."""
        for line in reversed(self._batch):
            if self._octets + len(line) > self._most:
                self.lost += 1
                continue
            self._lines.appendleft(line)
            self._octets += len(line)
        self._batch.clear()


class Tail:
    """Records on their way to one reader; of one that is too slow the oldest are dropped."""

    def __init__(self, module: str, most: int = TAIL_RECORDS) -> None:
        self._module = module
        self._most = most
        self._records: deque[Record] = deque()
        self._dropped = 0

    def offer(self, record: Record) -> bool:
        """Let a record wait for the reader; False when it does not want it."""
        if self._module not in ("", record.module):
            return False
        if len(self._records) >= self._most:
            self._records.popleft()
            self._dropped += 1
        self._records.append(record)
        return True

    def take(self) -> tuple[Record, int] | None:
        """The next record, and how many were dropped before it since the one taken last."""
        if not self._records:
            return None
        dropped, self._dropped = self._dropped, 0
        return self._records.popleft(), dropped

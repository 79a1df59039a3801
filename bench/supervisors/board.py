"""The board: one FIFO into which every supervised program writes a stamp when it is ready.

A FIFO and not a file, so that the harness sleeps until there is something to read and takes no
processor time from what it measures. A stamp is 24 bytes, so each arrives whole (PIPE_BUF).
"""

from __future__ import annotations

import os
import select
import struct
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

RECORD: Final = struct.Struct("=3q")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A program said that it runs: who, as which process, and when (CLOCK_MONOTONIC)."""

    index: int
    pid: int
    ns: int


class Stamps(ABC):
    """The newest stamp of each program, and waiting for newer ones."""

    def __init__(self) -> None:
        self.newest: dict[int, Stamp] = {}

    @abstractmethod
    def read(self, timeout: float) -> list[Stamp]:
        """What has arrived; waits up to `timeout` seconds for the first."""

    def pump(self, timeout: float = 0.0) -> list[Stamp]:
        """Take in what has arrived; waits up to `timeout` seconds for the first."""
        found = self.read(max(0.0, timeout))
        for stamp in found:
            self.newest[stamp.index] = stamp
        return found

    def wait(self, done: Callable[[], bool], timeout: float) -> bool:
        """Take in stamps until `done` says so; False when `timeout` seconds passed."""
        deadline = time.monotonic() + timeout
        self.pump()
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.pump(left)
        return True

    def wait_all(self, indices: Collection[int], since_ns: int, timeout: float) -> bool:
        """Wait until each of `indices` has stamped after `since_ns`."""
        return self.wait(lambda: not self.missing(indices, since_ns), timeout)

    def missing(self, indices: Collection[int], since_ns: int) -> list[int]:
        """Those that have not stamped after `since_ns`."""
        return [
            index
            for index in indices
            if index not in self.newest or self.newest[index].ns <= since_ns
        ]


class Board(Stamps):
    """The reader's end of the FIFO."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        os.mkfifo(path, 0o600)
        self.path = path
        # Open for both ways: then no writer ever finds it without a reader, and it never ends.
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._rest = b""

    def read(self, timeout: float) -> list[Stamp]:
        """What is in the FIFO."""
        found: list[Stamp] = []
        while select.select([self._fd], [], [], 0.0 if found else timeout)[0]:
            data = self._rest + os.read(self._fd, 65536)
            whole = len(data) - len(data) % RECORD.size
            self._rest = data[whole:]
            found.extend(Stamp(*record) for record in RECORD.iter_unpack(data[:whole]))
        return found

    def close(self) -> None:
        """Close and remove it."""
        os.close(self._fd)
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

"""Log files: whole lines or nothing, rotated by size and compressed.

Nothing is synced to the disk: what a write has taken survives the death of every process, and a log
is not worth what a sync for each line would cost.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json
from jsupervisor.runtime.rotate import Rule, rotate

_TAIL: Final = 64 * 1024


class LogFile:
    """One log file and its predecessors `NAME.0.gz` (the newest) and older. Not for two threads."""

    def __init__(self, path: Path, rule: Rule | None = None) -> None:
        self._path = path
        self._rule = rule or Rule()
        self._fd = -1

    def append(self, lines: bytes) -> None:
        """Put whole lines at the end; raises OSError, and then nothing of them is in the file."""
        try:
            self._open()
            size = os.fstat(self._fd).st_size
            if size and size + len(lines) > self._rule.size:
                self._rotate()
                size = os.fstat(self._fd).st_size
            self._write(lines, size)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file; the next append opens it again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        """Open the file, again when somebody removed or renamed it."""
        if self._fd >= 0 and self._is_ours():
            return
        self.close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o640)
        self._cut_torn_line()

    def _is_ours(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _cut_torn_line(self) -> None:
        """A writer that was killed in the middle of a write leaves half a line."""
        size = os.fstat(self._fd).st_size
        start = max(0, size - _TAIL)
        end = os.pread(self._fd, _TAIL, start)
        if end and not end.endswith(b"\n"):
            os.ftruncate(self._fd, start + end.rfind(b"\n") + 1)

    def _rotate(self) -> None:
        try:
            rotate(self._path, self._rule.files)
        except OSError:
            pass  # for want of room, say: what was not compressed will be the next time
        self._open()

    def _write(self, lines: bytes, size: int) -> None:
        view = memoryview(lines)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, size)
            raise


def read_rule(options: Mapping[str, Json]) -> Rule:
    """The rule in a module's options; the usual one where there is none."""
    log = options.get("log")
    size, files = (log.get("size"), log.get("files")) if isinstance(log, Mapping) else (None, None)
    if not isinstance(size, int) or not isinstance(files, int):
        return Rule()
    return Rule(size=size, files=files)

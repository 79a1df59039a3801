"""The committed configuration on disk: replaced whole or not at all, the one before it kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jdaemons.mgd.events import Commit, Stored


class StoreError(Exception):
    """The configuration could not be written; the old one is in force. The text says why."""


@dataclass(frozen=True, slots=True)
class Store:
    """The folder `config` of an instance."""

    folder: Path

    @property
    def path(self) -> Path:
        """The committed configuration."""
        return self.folder / "juniper.conf"

    @property
    def previous(self) -> Path:
        """The one before it."""
        return self.folder / "juniper.conf.1"

    def read(self) -> Stored:
        """What there is; a file that cannot be read counts as a damaged one."""
        try:
            moment = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except OSError:
            moment = datetime.now(UTC)
        time = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
        return Stored(_text(self.path), _text(self.previous), time)

    def write(self, commit: Commit) -> None:
        """Make the commit the stored one; raises StoreError and changes nothing when it cannot."""
        temporary = self.folder / "juniper.conf.new"
        header = f"## Last commit: {commit.time} by {commit.user}\n"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(header + commit.text)
                file.flush()
                os.fsync(file.fileno())
            if self.path.exists():
                kept = self.folder / "juniper.conf.1.new"
                kept.unlink(missing_ok=True)
                os.link(self.path, kept)
                kept.replace(self.previous)
            temporary.replace(self.path)
            _sync(self.folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        return f"unreadable: {error}"


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

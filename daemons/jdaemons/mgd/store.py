"""The committed configuration on disk: replaced whole or not at all, the one before it kept.

A copy of the last good one is kept besides, because `juniper.conf` is there to be edited by hand, and
what is in force must survive a slip of that hand and a restart of mgd.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jdaemons.mgd.candidate import Problems, examine
from jdaemons.mgd.events import Commit, Stored
from jdaemons.mgd.syntax import MAX_TEXT, Problem

_HEADER: Final = re.compile(
    r"## Last commit: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC by (\S+)\n(?:## Revision: (\d{1,15})\n)?"
)
_TIME: Final = "%Y-%m-%d %H:%M:%S"


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

    @property
    def good(self) -> Path:
        """A copy of the last good one."""
        return self.folder / "juniper.conf.good"

    @property
    def damaged(self) -> Path:
        """What stood in the place of a configuration and was none."""
        return self.folder / "juniper.conf.damaged"

    def read(self) -> Stored:
        """What there is; a file that cannot be read counts as a damaged one.

        The last good one is read only when it is needed: a restart should be quick.
        """
        current = _read(self.path)
        if isinstance(current, Commit):
            return Stored(current, None)
        kept = (_read(path) for path in (self.good, self.previous))
        return Stored(current, next((each for each in kept if isinstance(each, Commit)), None))

    def write(self, commit: Commit, previous: Commit) -> None:
        """Make the commit the stored one; raises StoreError and changes nothing when it cannot.

        What is kept as the previous one is what was in force, not what the file held: somebody may
        have edited that.
        """
        texts = {self.path: show(commit)}
        if previous.revision:
            texts[self.previous] = show(previous)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path, text in texts.items():
                _write(_new(path), text)
            for path in reversed(texts):
                _new(path).replace(path)
            _sync(self.folder)
        except OSError as error:
            for path in texts:
                with suppress(OSError):
                    _new(path).unlink(missing_ok=True)
            raise StoreError(
                f"cannot write {self.path}: {error.strerror}; the old configuration stays in force"
            ) from error

    def keep(self, commit: Commit) -> None:
        """Make the commit the last good one; what cannot be written is done without."""
        text = show(commit)
        with suppress(OSError):
            if not self.good.exists() or self.good.read_bytes() != text.encode():
                _write(_new(self.good), text)
                _new(self.good).replace(self.good)

    def set_aside(self) -> None:
        """Keep a damaged file for whoever wants to repair it; the next write would replace it."""
        link = _new(self.damaged)
        with suppress(OSError):
            link.unlink(missing_ok=True)
            os.link(self.path, link)
            link.replace(self.damaged)
            # rename(2) between two names of one file does nothing, and leaves both.
            link.unlink(missing_ok=True)


def show(commit: Commit) -> str:
    """The text with Junos' header, and our count of configurations."""
    if commit.time is None:
        return commit.candidate.text
    header = f"## Last commit: {commit.time.strftime(_TIME)} UTC by {commit.user}\n"
    return f"{header}## Revision: {commit.revision}\n{commit.candidate.text}"


def _read(path: Path) -> Commit | Problems | None:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_TEXT + 1)
            modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except FileNotFoundError:
        return None
    except OSError as error:
        return (Problem(None, f"cannot read it: {error.strerror}"),)
    except UnicodeDecodeError:
        return (Problem(None, "cannot read it: not UTF-8 text"),)
    examined = examine(text)
    if isinstance(examined, tuple):
        return examined
    revision, user, time = 1, "root", modified.replace(microsecond=0)
    if header := _HEADER.match(text):
        with suppress(ValueError):
            time = datetime.strptime(header[1], _TIME).replace(tzinfo=UTC)
        user = header[2]
        revision = int(header[3] or revision)
    return Commit(examined, revision, user, time)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

"""What goes into the core of mgd and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from jdaemons.mgd.candidate import NOTHING, Candidate, Problems


@dataclass(frozen=True, slots=True)
class Commit:
    """A configuration that was taken: who loaded it, and when."""

    candidate: Candidate = NOTHING
    revision: int = 0
    """Counts the configurations taken since the instance was made."""
    user: str = ""
    time: datetime | None = None
    """UTC, whole seconds; None for the empty configuration of a new instance."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What the disk holds, at start or when somebody asks to read it again."""

    current: Commit | Problems | None
    """None when there is no file."""
    good: Commit | None
    """The last good one that is kept; None when there is none, or when `current` is good."""


@dataclass(frozen=True, slots=True)
class LoadRequested:
    """Somebody wants a text to become the configuration; it has been examined."""

    examined: Candidate | Problems
    user: str


@dataclass(frozen=True, slots=True)
class Written:
    """The disk has taken a commit."""

    commit: Commit


Event = Stored | LoadRequested | Written


@dataclass(frozen=True, slots=True)
class Refuse:
    """A text is not taken; nothing has changed."""

    problems: Problems


@dataclass(frozen=True, slots=True)
class Write:
    """Write a commit to disk, the one in force as the one before it; then say Written."""

    commit: Commit
    previous: Commit


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep a copy of what was found, in case the file is damaged one day."""

    commit: Commit


@dataclass(frozen=True, slots=True)
class Publish:
    """Items of the feed `config` that are new or changed, and keys that are gone."""

    items: Mapping[str, bytes]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Damaged:
    """What the disk holds is no configuration."""

    problems: Problems
    instead: str
    """What is in force: in words."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The disk holds what is in force."""


Command = Refuse | Write | Keep | Publish | Damaged | Sound

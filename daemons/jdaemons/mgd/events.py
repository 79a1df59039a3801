"""What goes into the core of mgd and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jdaemons.mgd.syntax import Problem


@dataclass(frozen=True, slots=True)
class Commit:
    """A configuration that was taken: its canonical text, and who loaded it, when."""

    text: str
    revision: int
    user: str
    time: str
    """RFC 3339, UTC."""


@dataclass(frozen=True, slots=True)
class Stored:
    """At start: what the disk holds, if anything."""

    text: str | None
    previous: str | None
    time: str


@dataclass(frozen=True, slots=True)
class LoadRequested:
    """Somebody wants a text to become the configuration."""

    text: str
    user: str


@dataclass(frozen=True, slots=True)
class Written:
    """The disk has taken a commit."""

    commit: Commit


Event = Stored | LoadRequested | Written


@dataclass(frozen=True, slots=True)
class Refuse:
    """A text is not taken; nothing has changed."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Write:
    """Write a commit to disk, and say Written."""

    commit: Commit


@dataclass(frozen=True, slots=True)
class Publish:
    """Items of the feed `config` that are new or changed, and keys that are gone."""

    items: Mapping[str, bytes]
    removed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Damaged:
    """What the disk holds is no configuration; the one before it is used, or none."""

    problems: tuple[Problem, ...]
    used_previous: bool


Command = Refuse | Write | Publish | Damaged

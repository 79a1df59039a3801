"""Load, adopt, survive damage: the configuration in force. Pure: the disk is somebody else's work.

A text becomes the configuration in two steps: examined whole, it is handed out to be written; when the
disk has it, it is published. A crash in between leaves the old one or the new one, never half.
"""

from __future__ import annotations

from datetime import datetime

from jdaemons.mgd.candidate import Problems
from jdaemons.mgd.events import (
    Command,
    Commit,
    Damaged,
    Event,
    Keep,
    LoadRequested,
    Publish,
    Refuse,
    Sound,
    Stored,
    Write,
    Written,
)
from jdaemons.mgd.syntax import Problem


class Core:
    """The configuration in force."""

    def __init__(self) -> None:
        self.commit = Commit()
        self._started = False

    def handle(self, event: Event, now: datetime) -> list[Command]:
        """Apply an event at `now` (UTC)."""
        match event:
            case Stored():
                return self._stored(event)
            case LoadRequested():
                return [self._candidate(event, now)]
            case Written(commit):
                return [*self._adopt(commit), Keep(commit), Sound()]

    def _candidate(self, event: LoadRequested, now: datetime) -> Command:
        if isinstance(event.examined, tuple):
            return Refuse(event.examined)
        revision, time = self.commit.revision + 1, now.replace(microsecond=0)
        return Write(Commit(event.examined, revision, event.user, time), self.commit)

    def _stored(self, stored: Stored) -> list[Command]:
        """The stored one. Is it damaged: the one in force, else the last good one, else none."""
        started, self._started = self._started, True
        match stored.current:
            case Commit() as commit:
                return [*self._adopt(commit), Keep(commit), Sound()]
            case None if stored.good is None and not self.commit.revision:
                return [*self._adopt(Commit()), Sound()]
            case None:
                # A write replaces the file and never removes it: somebody or something else did.
                problems: Problems = (Problem(None, "the file is missing"),)
            case problems:
                pass
        if started:
            return [Damaged(problems, "the one in force stays")]
        if stored.good is not None:
            return [Damaged(problems, "the last good one is used"), *self._adopt(stored.good)]
        return [Damaged(problems, "an empty one is used"), *self._adopt(Commit())]

    def _adopt(self, commit: Commit) -> list[Command]:
        before, after = self.commit.candidate.items, commit.candidate.items
        self.commit = commit
        changed = {key: value for key, value in after.items() if before.get(key) != value}
        removed = frozenset(before.keys() - after.keys())
        return [Publish(changed, removed)] if changed or removed else []

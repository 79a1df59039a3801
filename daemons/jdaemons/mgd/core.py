"""Load, check, adopt: the configuration in force. Pure: the disk is somebody else's work.

A text becomes the configuration in two steps: it is checked whole and handed out to be written; when
the disk has it, it is published. A crash in between leaves the old one or the new one, never half.
"""

from __future__ import annotations

from jdaemons.mgd.check import check
from jdaemons.mgd.events import (
    Command,
    Commit,
    Damaged,
    Event,
    LoadRequested,
    Publish,
    Refuse,
    Stored,
    Write,
    Written,
)
from jdaemons.mgd.parts import parts
from jdaemons.mgd.render import render
from jdaemons.mgd.tree import Tree, branch

EMPTY = Commit("", 0, "root", "")


class Core:
    """The configuration in force and the items made of it."""

    def __init__(self) -> None:
        self.commit = EMPTY
        self.tree: Tree = {}
        self._items: dict[str, bytes] = {}

    @property
    def host_name(self) -> str:
        """The configured host name; empty when there is none."""
        name = branch(self.tree, "system").get("host-name", "")
        return name if isinstance(name, str) else ""

    def handle(self, event: Event, now: str) -> list[Command]:
        """Apply an event at `now` (RFC 3339, UTC)."""
        match event:
            case Stored():
                return self._start(event)
            case LoadRequested():
                tree, problems = check(event.text)
                if problems:
                    return [Refuse(tuple(problems))]
                revision = self.commit.revision + 1
                return [Write(Commit(render(tree), revision, event.user, now))]
            case Written(commit):
                return [self._adopt(commit)]

    def _start(self, stored: Stored) -> list[Command]:
        """The stored text, else the one before it, else nothing."""
        if stored.text is None:
            return [self._adopt(Commit("", 0, "root", stored.time))]
        tree, problems = check(stored.text)
        if not problems:
            return [self._adopt(Commit(render(tree), 1, "root", stored.time))]
        previous, worse = check(stored.previous or "")
        commit = Commit("" if worse else render(previous), 1, "root", stored.time)
        return [
            Damaged(tuple(problems), used_previous=stored.previous is not None and not worse),
            self._adopt(commit),
        ]

    def _adopt(self, commit: Commit) -> Publish:
        self.commit = commit
        self.tree, _ = check(commit.text)
        items = parts(self.tree)
        changed = {key: value for key, value in items.items() if self._items.get(key) != value}
        removed = frozenset(self._items.keys() - items.keys())
        self._items = items
        return Publish(changed, removed)

"""A text that has been examined whole: what there is to commit, or why it cannot be committed.

Examining is the one long step of a load, and it needs nothing but the text: the shell does it in a
thread, so that a big configuration delays no heartbeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jdaemons.mgd.check import check
from jdaemons.mgd.parts import parts
from jdaemons.mgd.render import render
from jdaemons.mgd.syntax import Problem
from jdaemons.mgd.tree import active, branch

Problems = tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration without a fault."""

    text: str
    """Canonical, without a header."""
    host_name: str
    """Empty when none is configured."""
    items: Mapping[str, bytes]
    """Of the feed `config`, by key."""


NOTHING = Candidate("", "", {})
"""The empty configuration."""


def examine(text: str) -> Candidate | Problems:
    """What there is to commit; else everything that is wrong, in the text's order."""
    reading = check(text)
    if reading.problems:
        return tuple(reading.problems)
    tree = active(reading.tree, reading.inactive)
    name = branch(tree, "system").get("host-name")
    return Candidate(
        text=render(reading.tree, reading.inactive),
        host_name=name if isinstance(name, str) else "",
        items=parts(tree),
    )

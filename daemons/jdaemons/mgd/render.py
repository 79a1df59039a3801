"""A tree as canonical text in Junos' layout: schema order, four spaces, one-line routes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import groupby

from jdaemons.mgd.schema import ANY, SCHEMA, Block, Keyed, Leaf
from jdaemons.mgd.syntax import INACTIVE
from jdaemons.mgd.tree import Path, Tree, Value

INDENT = "    "


def render(tree: Tree, inactive: Collection[Path] = frozenset()) -> str:
    """The text; reading it gives the tree again."""
    return "".join(f"{line}\n" for line in _Renderer(inactive).block(tree, SCHEMA, ()))


class _Renderer:
    def __init__(self, inactive: Collection[Path]) -> None:
        self._inactive = inactive

    def block(self, tree: Tree, block: Block, path: Path) -> Iterator[str]:
        """The statements of one block."""
        for name, member in block.members.items():
            here = (*path, name)
            if name == ANY and isinstance(member, Keyed):
                for key, value in tree.items():
                    yield from self._braces(_word(key), value, member.block, (*path, key))
            elif name in tree and isinstance(member, Leaf):
                yield from self._leaf(name, tree[name], here)
            elif name in tree and isinstance(member, Block):
                yield from self._braces(name, tree[name], member, here)
            elif name in tree and isinstance(member, Keyed):
                entries = tree[name]
                assert isinstance(entries, dict)
                for key, value in entries.items():
                    inner = member.words[key] if member.words else member.block
                    head = f"{name} {_word(key)}"
                    yield from self._braces(head, value, inner, (*here, key))

    def _braces(self, head: str, value: Value, block: Block, path: Path) -> Iterator[str]:
        assert isinstance(value, dict)
        lines = list(self.block(value, block, path))
        mark = self._mark(path)
        if head.startswith("route ") and len(lines) == 1 and not lines[0].startswith(INACTIVE):
            yield f"{mark}{head} {lines[0]}"
        elif lines:
            yield f"{mark}{head} {{"
            yield from (f"{INDENT}{line}" for line in lines)
            yield "}"
        elif block.presence:
            yield f"{mark}{head};"

    def _leaf(self, name: str, value: Value, path: Path) -> Iterator[str]:
        if value is True:
            yield f"{self._mark(path)}{name};"
        elif isinstance(value, str):
            yield f"{self._mark(path)}{name} {_word(value)};"
        elif isinstance(value, list) and name == "address":
            yield from (f"{self._mark((*path, item))}{name} {_word(item)};" for item in value)
        elif isinstance(value, list):
            for mark, group in groupby(value, lambda item: self._mark((*path, item))):
                words = [_word(item) for item in group]
                text = words[0] if len(words) == 1 else f"[ {' '.join(words)} ]"
                yield f"{mark}{name} {text};"

    def _mark(self, path: Path) -> str:
        return f"{INACTIVE} " if path in self._inactive else ""


def _word(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:%+-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

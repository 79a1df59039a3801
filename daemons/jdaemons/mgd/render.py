"""A tree as canonical text in Junos' layout: schema order, four spaces, one-line routes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jdaemons.mgd.schema import ANY, SCHEMA, Block, Keyed, Leaf
from jdaemons.mgd.tree import Tree, Value

INDENT = "    "


def render(tree: Tree) -> str:
    """The text; reading it gives the tree again."""
    return "".join(f"{line}\n" for line in _block(tree, SCHEMA))


def _block(tree: Tree, block: Block) -> Iterator[str]:
    for name, member in block.members.items():
        if name == ANY and isinstance(member, Keyed):
            for key, value in tree.items():
                yield from _braces(_word(key), value, member.block)
        elif name in tree and isinstance(member, Leaf):
            yield from _leaf(name, tree[name])
        elif name in tree and isinstance(member, Block):
            yield from _braces(name, tree[name], member)
        elif name in tree and isinstance(member, Keyed):
            entries = tree[name]
            assert isinstance(entries, dict)
            for key, value in entries.items():
                inner = member.words[key] if member.words else member.block
                yield from _braces(f"{name} {_word(key)}", value, inner)


def _braces(head: str, value: Value, block: Block) -> Iterator[str]:
    assert isinstance(value, dict)
    lines = list(_block(value, block))
    if head.startswith("route ") and len(lines) == 1:
        yield f"{head} {lines[0]}"
    elif lines:
        yield f"{head} {{"
        yield from (f"{INDENT}{line}" for line in lines)
        yield "}"
    elif block.presence:
        yield f"{head};"


def _leaf(name: str, value: Value) -> Iterator[str]:
    if value is True:
        yield f"{name};"
    elif isinstance(value, str):
        yield f"{name} {_word(value)};"
    elif isinstance(value, list) and name == "address":
        yield from (f"{name} {_word(item)};" for item in value)
    elif isinstance(value, list) and len(value) == 1:
        yield f"{name} {_word(value[0])};"
    elif isinstance(value, list):
        yield f"{name} [ {' '.join(_word(item) for item in value)} ];"


def _word(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./:%+-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

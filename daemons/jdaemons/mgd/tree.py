"""Statements to a tree, by the schema: what the words mean, or why they mean nothing.

A tree is nested dicts of plain data: a flag is True, a leaf a string, a leaf of many a list of strings,
a keyed list a dict by key. `places` remembers where each path was written, for later checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jdaemons.mgd.kinds import KINDS
from jdaemons.mgd.schema import ANY, SCHEMA, Block, Keyed, Leaf
from jdaemons.mgd.syntax import Place, Problem, Statement, Word, parse

Value = bool | str | list[str] | dict[str, "Value"]
Tree = dict[str, Value]
Path = tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """A text as far as it could be understood."""

    tree: Tree = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(text: str) -> Reading:
    """Understand a whole text by the schema."""
    statements, problems = parse(text)
    reading = Reading(problems=problems)
    builder = _Builder(reading)
    for statement in statements:
        builder.statement(statement.words, statement, SCHEMA, reading.tree, ())
    return reading


class _Builder:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def statement(
        self, words: Sequence[Word], whole: Statement, block: Block, into: Tree, path: Path
    ) -> None:
        """Put one statement (or what is left of it behind its first words) into the tree."""
        word = words[0]
        member = block.members.get(word.text)
        wild = block.members.get(ANY)
        if word.text in ("inactive:", "protect:"):
            self._problem(word, f"'{word.text}' is not supported: remove the statement instead")
        elif member is None and isinstance(wild, Keyed):
            self._keyed(words, whole, wild, into, path)
        elif isinstance(member, Leaf):
            self._leaf(words, whole, member, into, path)
        elif isinstance(member, Block):
            child = self._child(into, word.text)
            self._inside(words[1:], whole, member, child, (*path, word.text))
        elif isinstance(member, Keyed):
            if len(words) < 2:
                self._problem(word, f"'{word.text}' needs a name behind it")
                return
            keyed = self._child(into, word.text)
            self._keyed(words[1:], whole, member, keyed, (*path, word.text))
        else:
            expected = ", ".join(name for name in block.members if name != ANY)
            hint = f", expecting {expected}" if expected else ""
            self._problem(word, f"syntax error at '{word.text}'{hint}")

    def _keyed(
        self, words: Sequence[Word], whole: Statement, keyed: Keyed, into: Tree, path: Path
    ) -> None:
        key, block = words[0].text, keyed.block
        if keyed.words is not None:
            if key not in keyed.words:
                known = ", ".join(keyed.words)
                self._problem(words[0], f"syntax error at '{key}', expecting {known}")
                return
            block = keyed.words[key]
        else:
            checked = self._value(keyed.kind, words[0])
            if checked is None:
                return
            key = checked
        self._reading.places.setdefault((*path, key), words[0].place)
        self._inside(words[1:], whole, block, self._child(into, key), (*path, key))

    def _inside(
        self, rest: Sequence[Word], whole: Statement, block: Block, into: Tree, path: Path
    ) -> None:
        """What stands behind a block's name: more words of the same line, or braces."""
        if rest:
            self.statement(rest, whole, block, into, path)
            return
        if whole.children is None and not block.presence:
            self._problem(whole.words[-1], f"'{whole.words[-1].text}' needs braces behind it")
        for child in whole.children or ():
            self.statement(child.words, child, block, into, path)

    def _leaf(
        self, words: Sequence[Word], whole: Statement, leaf: Leaf, into: Tree, path: Path
    ) -> None:
        name, values = words[0], words[1:]
        self._reading.places.setdefault((*path, name.text), name.place)
        if leaf.kind is None:
            if values:
                self._problem(values[0], f"'{name.text}' takes no value")
            into[name.text] = True
            self._no_braces_but_empty(whole, name)
            return
        if not values:
            self._problem(name, f"missing argument: '{name.text}' needs a value")
            return
        if len(values) > 1 and not leaf.many:
            self._problem(values[1], f"'{name.text}' takes one value")
            return
        checked = [self._value(leaf.kind, word) for word in values]
        good = [value for value in checked if value is not None]
        self._no_braces_but_empty(whole, name)
        if not leaf.many:
            if good:
                into[name.text] = good[0]
            return
        known = into.setdefault(name.text, [])
        assert isinstance(known, list)
        known.extend(value for value in good if value not in known)

    def _no_braces_but_empty(self, whole: Statement, name: Word) -> None:
        if whole.children:
            self._problem(name, f"'{name.text}' takes no braces")

    def _value(self, kind: str | None, word: Word) -> str | None:
        try:
            return KINDS[kind or "text"](word.text)
        except ValueError as error:
            self._problem(word, str(error))
            return None

    def _problem(self, word: Word, message: str) -> None:
        self._reading.problems.append(Problem(word.place, message))

    @staticmethod
    def _child(into: Tree, name: str) -> Tree:
        child = into.setdefault(name, {})
        assert isinstance(child, dict)
        return child


def branch(tree: Mapping[str, Value], *path: str) -> Tree:
    """The dict at a path; empty when there is none."""
    here: Value = dict(tree)
    for name in path:
        here = here.get(name, {}) if isinstance(here, dict) else {}
    return here if isinstance(here, dict) else {}

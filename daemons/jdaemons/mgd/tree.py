"""Statements to a tree, by the schema: what the words mean, or why they mean nothing.

A tree is nested dicts of plain data: a flag is True, a leaf a string, a leaf of many a list of strings,
a keyed list a dict by key. `places` remembers where each path was written, for later checks; `inactive`
which paths are kept without effect. The path of one of many values ends in the value.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
    inactive: set[Path] = field(default_factory=set)
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
        if word.text == "protect:":
            self._problem(word, "'protect:' is not supported: leave it out")
        elif word.listed:
            self._problem(word, f"syntax error at '[', before '{word.text}'")
        elif member is None and isinstance(wild, Keyed):
            self._keyed(words, word, whole, wild, into, path)
        elif isinstance(member, Leaf):
            self._leaf(words, whole, member, into, path)
        elif isinstance(member, Block):
            child = self._child(into, word.text)
            here = (*path, word.text)
            self._mark(here, word, whole)
            self._inside(words[1:], whole, member, child, here)
        elif isinstance(member, Keyed):
            if len(words) < 2:
                self._problem(word, f"'{word.text}' needs a name behind it")
                return
            keyed = self._child(into, word.text)
            self._keyed(words[1:], word, whole, member, keyed, (*path, word.text))
        else:
            expected = ", ".join(name for name in block.members if name != ANY)
            hint = f", expecting {expected}" if expected else ""
            self._problem(word, f"syntax error at '{word.text}'{hint}")

    def _keyed(
        self,
        words: Sequence[Word],
        opening: Word,
        whole: Statement,
        keyed: Keyed,
        into: Tree,
        path: Path,
    ) -> None:
        """A key and what it holds; `opening` is the keyword before it, or the key itself."""
        key, block = words[0].text, keyed.block
        if words[0].listed:
            self._problem(words[0], f"syntax error at '[', before '{key}'")
            return
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
        here = (*path, key)
        self._reading.places.setdefault(here, words[0].place)
        self._mark(here, opening, whole)
        self._inside(words[1:], whole, block, self._child(into, key), here)

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
        here = (*path, name.text)
        self._reading.places.setdefault(here, name.place)
        if whole.children is not None:
            self._problem(name, f"'{name.text}' takes no braces")
        if leaf.kind is None:
            if values:
                self._problem(values[0], f"'{name.text}' takes no value")
            into[name.text] = True
            self._mark(here, name, whole)
            return
        if not values:
            self._problem(name, f"missing argument: '{name.text}' needs a value")
            return
        if len(values) > 1 and not (leaf.many and all(value.listed for value in values)):
            brackets = ": put several into square brackets" if leaf.many else ""
            self._problem(values[1], f"'{name.text}' takes one value{brackets}")
            return
        if leaf.many:
            into.setdefault(name.text, [])
        for word in values:
            value = self._value(leaf.kind, word)
            if value is None:
                continue
            if leaf.many:
                self._add(into, here, value, word)
                self._mark((*here, value), name, whole)
            else:
                into[name.text] = value
                self._mark(here, name, whole)

    def _add(self, into: Tree, here: Path, value: str, word: Word) -> None:
        """One more of the values of a leaf of many."""
        known = into[here[-1]]
        assert isinstance(known, list)
        if (*here, value) not in self._reading.places:
            self._reading.places[*here, value] = word.place
            known.append(value)

    def _mark(self, path: Path, word: Word, whole: Statement) -> None:
        """The word opens what is at the path; if it opens the statement, "inactive:" means that."""
        if word is not whole.words[0]:
            return
        if whole.inactive:
            self._reading.inactive.add(path)
        else:
            self._reading.inactive.discard(path)

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


def branch(tree: Tree, *path: str) -> Tree:
    """The dict at a path; empty when there is none."""
    here = tree
    for name in path:
        below = here.get(name)
        if not isinstance(below, dict):
            return {}
        here = below
    return here


def active(tree: Tree, inactive: Collection[Path], path: Path = ()) -> Tree:
    """The tree without what is inactive."""
    if not inactive:
        return tree
    kept: Tree = {}
    for name, value in tree.items():
        here = (*path, name)
        if here in inactive:
            continue
        if isinstance(value, dict):
            kept[name] = active(value, inactive, here)
        elif isinstance(value, list):
            values = [item for item in value if (*here, item) not in inactive]
            if values or not value:
                kept[name] = values
        else:
            kept[name] = value
    return kept

"""Junos' curly-brace text to statements. All mistakes are collected, each with line and column.

    statement = ["inactive:"] words ";"  |  ["inactive:"] words "{" statement* "}"
    words     = (word | "quoted text" | "[" word* "]")+

After a mistake reading goes on behind the next ";" or "}". Time is linear in the text, and so is memory,
whatever the text is: it comes from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

MAX_DEPTH: Final = 32
MAX_PROBLEMS: Final = 100
"""Where reading ends: what follows so many mistakes is of no use to anybody."""
MAX_TEXT: Final = 8 * 1024 * 1024
"""In characters."""

INACTIVE: Final = "inactive:"

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>\#[^\n]*|/\*.*?\*/)
    | (?P<quoted>"(?:[^"\\\n]|\\[^\n])*")
    | (?P<sign>[{};\[\]])
    | (?P<word>(?!/\*)[^\s{};\[\]"\#]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_UNFINISHED: Final = {
    "/": "syntax error, '/*' without '*/'",
    '"': "syntax error, '\"' without another in the same line",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a text; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a text; `place` is None where none applies."""

    place: Place | None
    message: str


@dataclass(frozen=True, slots=True)
class Word:
    """One word and where it stands; `kind` is "word", "sign" or "end"."""

    text: str
    place: Place
    kind: str = "word"
    listed: bool = False
    """It stood in square brackets."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Words, and the statements in braces behind them; None where there are no braces."""

    words: tuple[Word, ...]
    children: tuple[Statement, ...] | None
    inactive: bool = False
    """Kept and shown, but without effect."""


def parse(text: str) -> tuple[tuple[Statement, ...], list[Problem]]:
    """The statements of a text, and everything that is wrong with its form."""
    if len(text) > MAX_TEXT:
        message = f"the text is longer than {MAX_TEXT} characters"
        return (), [Problem(None, message)]
    reader = _Reader(text)
    statements = reader.block(0)
    return statements, reader.problems


class _Reader:
    """Recursive descent over the tokens, with one token of look-ahead."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self._tokens = self._scan(text)
        self._next = next(self._tokens)

    def block(self, depth: int) -> tuple[Statement, ...]:
        """Statements up to the closing brace (or the end, at depth 0)."""
        statements: list[Statement] = []
        while len(self.problems) < MAX_PROBLEMS:
            if self._next.kind == "end":
                if depth:
                    self._problem(self._next, "syntax error, expecting '}'")
                break
            if self._is("}"):
                if depth:
                    break
                self._problem(self._next, "syntax error, '}' without '{'")
                self._take()
                continue
            statement = self._statement(depth)
            if statement is not None:
                statements.append(statement)
        return tuple(statements)

    def _statement(self, depth: int) -> Statement | None:
        inactive = self._next.kind == "word" and self._next.text == INACTIVE
        if inactive:
            self._take()
        words = self._words()
        if not words:
            if inactive or not self._is(";"):  # a stray ';' does no harm
                self._problem(self._next, f"syntax error at '{self._next.text}'")
            self._take()
            return None
        if self._is(";"):
            self._take()
            return Statement(words, None, inactive)
        if not self._is("{"):
            self._problem(self._next, "syntax error, expecting ';' or '{'")
            self._recover()
            return None
        opening = self._take()
        if depth >= MAX_DEPTH:
            self._problem(opening, f"braces are nested deeper than {MAX_DEPTH}")
            self._recover()
            return None
        children = self.block(depth + 1)
        if self._is("}"):
            self._take()
        return Statement(words, children, inactive)

    def _words(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while self._next.kind == "word" or self._is("["):
            if self._next.kind == "word":
                words.append(self._take())
                continue
            opening = self._take()
            while self._next.kind == "word":
                words.append(replace(self._take(), listed=True))
            if self._is("]"):
                self._take()
            else:
                self._problem(opening, "syntax error, '[' without ']'")
        return tuple(words)

    def _recover(self) -> None:
        while self._next.kind != "end" and not self._is("}"):
            if self._take().text == ";":
                return

    def _is(self, sign: str) -> bool:
        return self._next.kind == "sign" and self._next.text == sign

    def _take(self) -> Word:
        word, self._next = self._next, next(self._tokens, self._next)
        return word

    def _problem(self, word: Word, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(word.place, message))

    def _scan(self, text: str) -> Iterator[Word]:
        position, line, line_start = 0, 1, 0
        while position < len(text) and len(self.problems) < MAX_PROBLEMS:
            place = Place(line, position - line_start + 1)
            match = _TOKEN.match(text, position)
            if match is None:
                sign = text[position]
                self._problem(Word(sign, place), _UNFINISHED[sign])
                position = _after_unfinished(text, position)
                continue
            found = match[0]
            position = match.end()
            newlines = found.count("\n")
            if newlines:
                line, line_start = line + newlines, match.start() + found.rindex("\n") + 1
            match match.lastgroup:
                case "word":
                    yield Word(found, place)
                case "quoted":
                    yield Word(re.sub(r"\\(.)", r"\1", found[1:-1]), place)
                case "sign":
                    yield Word(found, place, "sign")
                case _:
                    pass
        yield Word("end of text", Place(line, position - line_start + 1), "end")


def _after_unfinished(text: str, position: int) -> int:
    """Where to read on behind a comment or a quotation that does not end: nothing is read twice."""
    end = text.find("\n", position) if text[position] == '"' else -1
    return len(text) if end < 0 else end

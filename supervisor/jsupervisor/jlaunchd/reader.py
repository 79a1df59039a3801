"""Typed reading of TOML tables: a wrong key or value is an error that names the file and the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import TypeVar, cast

from jsupervisor.initproto import Json

Choice = TypeVar("Choice", bound=str)


class PlanError(Exception):
    """A profile cannot be used; the text begins with "cannot" and names file and key."""


class Section:
    """One table of a document. Every key must be asked for before `done`, or it is unknown."""

    def __init__(
        self,
        source: str,
        path: str,
        table: Mapping[str, object],
        key: str = "",
        what: str = "profile",
    ) -> None:
        """`what` is how errors call the document."""
        self.what = what
        self.source = source
        self.path = path
        self.key = key
        """The last part of the table's name: rpd of program.rpd."""
        self._table = table
        self._asked: set[str] = set()

    def error(self, key: str, why: str) -> PlanError:
        """The error that `key` of this table causes."""
        path = ".".join(part for part in (self.path, key) if part)
        return PlanError(f"cannot use {self.what} {self.source}: {path}: {why}")

    def names(self) -> list[str]:
        """All keys, in the file's order."""
        return list(self._table)

    def done(self) -> None:
        """Raise PlanError for the first key that nobody asked for."""
        for key in self._table:
            if key not in self._asked:
                raise self.error(key, f"unknown key; known are {', '.join(sorted(self._asked))}")

    def ignore(self, key: str) -> None:
        """Count `key` as known though it is not read."""
        self._asked.add(key)

    def string(self, key: str, default: str | None = None) -> str:
        """A string."""
        value = self._get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"{value!r} is not a string")
        return value

    def choice(self, key: str, options: Sequence[Choice], default: Choice) -> Choice:
        """One of several words."""
        value = self.string(key, default)
        if value not in options:
            raise self.error(key, f"{value!r} is not one of {', '.join(options)}")
        return cast("Choice", value)

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings; empty when it is not there."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, "not a list of strings")
        return tuple(value)

    def number(
        self, key: str, default: float, *, least: float = 0.0, most: float = 86400.0
    ) -> float:
        """A number within bounds."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"{value!r} is not a number")
        if not least <= value <= most:
            raise self.error(key, f"{value!r} is not between {least:g} and {most:g}")
        return float(value)

    def seconds(self, key: str, default: float, *, least: float = 0.0) -> float:
        """A duration in seconds, a day at most."""
        return self.number(key, default, least=least)

    def count(self, key: str, default: int, *, least: int, most: int = 10**9) -> int:
        """A whole number within bounds."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.error(key, f"{value!r} is not a whole number from {least} to {most}")
        return value

    def optional_count(self, key: str, *, least: int) -> int | None:
        """A whole number, or None when it is not there."""
        if key in self._table:
            return self.count(key, least, least=least)
        self._asked.add(key)
        return None

    def boolean(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, f"{value!r} is not true or false")
        return value

    def is_table(self, key: str) -> bool:
        """Does the key hold a table?"""
        return isinstance(self._table.get(key), dict)

    def flag(self, key: str, *, default: bool) -> bool:
        """A boolean; a key that holds a table counts as true."""
        value = self._table.get(key, default)
        if isinstance(value, bool):
            self._asked.add(key)
            return value
        return True

    def section(self, key: str, *, optional: bool = False) -> Section:
        """A sub-table; an empty one when it is optional and not there."""
        value = self._get(key, {} if optional else None)
        if isinstance(value, bool):
            value = {}
        if not isinstance(value, dict):
            raise self.error(key, "not a table")
        path = ".".join(part for part in (self.path, key) if part)
        return Section(self.source, path, value, key, self.what)

    def named_sections(self, key: str) -> list[Section]:
        """The tables [KEY.NAME], in the file's order."""
        parent = self.section(key, optional=True)
        return [parent.section(name) for name in parent.names()]

    def sections(self, key: str) -> list[Section]:
        """The tables [[KEY]], in the file's order; none when it is not there."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"not a list of tables [[{key}]]")
        path = ".".join(part for part in (self.path, key) if part)
        return [
            Section(self.source, f"{path}[{n}]", item, what=self.what)
            for n, item in enumerate(value)
        ]

    def table(self, key: str) -> dict[str, Json]:
        """A free table of plain data; raises PlanError for dates, which JSON lacks."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "not a table")
        self._refuse_dates(key, value)
        return value

    def _refuse_dates(self, key: str, value: object) -> None:
        if isinstance(value, date | time):
            raise self.error(key, "a date is not used here; write it as a string")
        if isinstance(value, dict):
            for name, item in value.items():
                self._refuse_dates(f"{key}.{name}", item)
        if isinstance(value, list):
            for item in value:
                self._refuse_dates(key, item)

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        value = self._table.get(key, default)
        if value is None:
            raise self.error(key, "is missing")
        return value

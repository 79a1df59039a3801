"""Reading operational data, in which anything may be missing: a table, its rows, its texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jsupervisor.initproto import Json

Table = Mapping[str, Json]


def table(data: Json, *path: str) -> Table:
    """The object at the end of `path`; empty when there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def rows(data: Table, key: str) -> list[Table]:
    """The repeated element `key`. XML does not tell one from a list of one, so neither do we."""
    value = data.get(key)
    if isinstance(value, Mapping):
        return [value]
    found = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return [each for each in found if isinstance(each, Mapping)]


def text(data: Table, key: str, default: str = "") -> str:
    """One value as text; `default` when it is missing or empty."""
    value = data.get(key)
    if value is None or isinstance(value, Mapping | list | tuple):
        return default
    return str(value) or default


def lines(found: Iterable[str]) -> str:
    """Lines without trailing blanks, each ended."""
    return "".join(f"{line.rstrip()}\n" for line in found)

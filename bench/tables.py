"""Small tables of results: tab-separated files that grow by whole rows, and medians out of them.

A row names the revision it was measured at, so that an interrupted run goes on where it stopped and
a check looks at the newest revision alone.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, str]


class TableError(Exception):
    """A results file cannot be used; the text begins with "cannot"."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures of one kind."""

    count: int
    median: float
    maximum: float


def read(path: Path) -> list[Row]:
    """All rows of a file; none when there is no file. Raises TableError for a torn row."""
    if not path.exists():
        return []
    lines = path.read_text().splitlines()
    if not lines:
        return []
    columns = lines[0].split("\t")
    rows: list[Row] = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise TableError(f"cannot read {path}: line {number} has {len(cells)} cells")
        rows.append(dict(zip(columns, cells, strict=True)))
    return rows


def append(path: Path, row: Mapping[str, object]) -> None:
    """Add one row, and the heading before the first; raises TableError for other columns."""
    known = path.read_text().splitlines()[:1] if path.exists() else []
    heading = "\t".join(row)
    if known and known[0] != heading:
        raise TableError(f"cannot add to {path}: its columns are {known[0].split()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        if not known:
            file.write(heading + "\n")
        file.write("\t".join(_text(value) for value in row.values()) + "\n")


def _text(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def newest(rows: Sequence[Row]) -> list[Row]:
    """The rows of the revision that was measured last."""
    return [row for row in rows if row["revision"] == rows[-1]["revision"]] if rows else []


def done(rows: Iterable[Row], revision: str, **values: str) -> int:
    """How many rows of the revision have these values."""
    return sum(
        1
        for row in rows
        if row["revision"] == revision and all(row.get(key) == values[key] for key in values)
    )


def numbers(rows: Iterable[Row], column: str) -> list[float]:
    """A column's numbers; cells that hold none are left out."""
    return [float(row[column]) for row in rows if row[column] not in ("", "None")]


def summarise(values: Sequence[float]) -> Summary:
    """Median and maximum; raises ValueError when there is nothing."""
    if not values:
        raise ValueError("cannot summarise nothing")
    return Summary(len(values), statistics.median(values), max(values))

"""The tables of RESULTS.md, out of the newest rows: python -m bench.supervisors.report [FOLDER].

For each benchmark all systems, the quickest first, each with the policy it was measured under; a
ratio is the system's median through ours, so that above 1 means that ours is quicker.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.supervisors.aims import figures, of, values
from bench.supervisors.benchmarks import BENCHMARKS
from bench.supervisors.stats import spread
from bench.tables import Row, newest, read

FOLDER: Final = Path(__file__).resolve().parents[1] / "results"
TIMED: Final = {
    "supervisors-latency-c": "ms",
    "supervisors-latency-python": "ms",
    "supervisors-storm-c": "all_ms",
    "supervisors-storm-python": "all_ms",
    "supervisors-burst": "ms",
    "supervisors-hang": "ms",
    "supervisors-hang-python": "ms",
    "supervisors-adoption": "supervised_ms",
}
"""The column that is compared, by benchmark."""


def systems(rows: Sequence[Row]) -> list[str]:
    """The systems in a table, in the order of its rows."""
    return list(dict.fromkeys(row["system"] for row in rows))


def timed(rows: Sequence[Row], column: str, ours: str) -> Iterator[str]:
    """A table of times in ms, as lines of Markdown."""
    mine = figures(of(rows, ours), column)
    base = spread(mine).median if mine else None
    yield "| system | policy | n | median [95 %] | p99 | max | never | x ours | load |"
    yield "|---|---|---|---|---|---|---|---|---|"
    lines = [_timed_line(of(rows, system), column, base) for system in systems(rows)]
    for _, line in sorted(lines):
        yield line


def _timed_line(rows: Sequence[Row], column: str, base: float | None) -> tuple[float, str]:
    row = rows[-1]
    head = f"| {row['system']} {row['version']} | {row['policy']}"
    known = figures(rows, column)
    never = len(values(rows, column)) - len(known)
    if not known:
        what = row["note"] or "never"
        return float("inf"), f"{head} | {never} | {what} | | | {never} | | {load(rows)} |"
    found = spread(known)
    ratio = f"{found.median / base:.2f}" if base else ""
    return found.median, (
        f"{head} | {found.count} | {found.median:.1f} [{found.low:.1f}, {found.high:.1f}]"
        f" | {found.p99:.1f} | {found.maximum:.1f} | {never} | {ratio} | {load(rows)} |"
    )


def load(rows: Sequence[Row]) -> str:
    """The span of the one-minute load average at the starts of the cells."""
    loads = sorted(float(row["load"]) for row in rows)
    return f"{loads[0]:.1f}-{loads[-1]:.1f}"


def columns(rows: Sequence[Row], names: Sequence[str]) -> Iterator[str]:
    """A table of medians of several columns, as lines of Markdown."""
    yield f"| system | policy | n | {' | '.join(names)} | load |"
    yield f"|---|---|---|{'---|' * (len(names) + 1)}"
    for system in systems(rows):
        mine = of(rows, system)
        row, cells = mine[-1], [_median(mine, name) for name in names]
        if row["note"] and not any(cells):
            cells = [row["note"], *[""] * (len(names) - 1)]
        head = f"| {system} {row['version']} | {row['policy']} | {len(mine)}"
        yield f"{head} | {' | '.join(cells)} | {load(mine)} |"


def _median(rows: Sequence[Row], name: str) -> str:
    known = figures(rows, name)
    if known:
        return f"{spread(known).median:.4g}"
    return "never" if values(rows, name) else ""


def table(name: str, rows: Sequence[Row]) -> list[str]:
    """The lines of one benchmark."""
    if name in TIMED:
        return list(timed(rows, TIMED[name], BENCHMARKS[name].series[0].system))
    return list(columns(rows, BENCHMARKS[name].columns))


def main(folder: Path) -> None:
    """Print all tables that have rows."""
    for name, benchmark in BENCHMARKS.items():
        rows = newest(read(folder / f"{name}.tsv"))
        if rows:
            what = f"{benchmark.programs} programs, {benchmark.kind}"
            print(f"\n## `{name}` ({what}, revision {rows[-1]['revision']})\n")
            print(*table(name, rows), sep="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

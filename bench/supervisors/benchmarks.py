"""The series that bench/run takes: which systems, how often, in which order.

A row is one cell: one system started afresh, measured `n` times, ended. The systems take turns, so that
what the machine does meanwhile hits all of them alike. Where a column holds several figures they are
separated by blanks, in the order in which they were taken; "-" is one that did not come (given up,
not noticed, too late). Systems whose figures are far from ours and far above the noise are
measured in fewer cells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.supervisors import setup
from bench.supervisors.catalogue import SYSTEMS
from bench.supervisors.enclosure import CellError, measure
from bench.supervisors.work import Kind, NotToBeHad

Done = Callable[[Mapping[str, str]], int]
Row = Mapping[str, object]
ABSENT: Final = "not to be had here: "
BASE_SECONDS: Final = 240.0
EACH_SECONDS: Final = 20.0
MANY: Final = 11
FEW: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One system in one benchmark."""

    system: str
    cells: int
    each: int
    """How many measurements (or seconds) a cell has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One scenario over several systems."""

    scenario: str
    kind: Kind
    programs: int
    counted: str
    """The scenario's option that says how often, or for how many seconds."""
    columns: tuple[str, ...]
    series: tuple[Series, ...]
    options: Mapping[str, float]

    @property
    def count(self) -> int:
        """The most measurements that any system gets."""
        return max(series.cells * series.each for series in self.series)


def _series(cells: int, each: int, *names: str) -> tuple[Series, ...]:
    return tuple(Series(system=name, cells=cells, each=each) for name in names)


QUICK: Final = ("s6", "dinit", "runit", "erlang", "systemd")
SLOW: Final = ("systemd-patient", "s6-plain", "supervisord", "circus-fast", "circus")
EVERYBODY: Final = (*QUICK, "supervisord", "circus")

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "supervisors-latency-c": Benchmark(
        scenario="latency",
        kind="c",
        programs=8,
        counted="kills",
        columns=("ms",),
        series=(
            *_series(MANY, 28, "ours"),
            *_series(MANY, 14, *QUICK),
            *_series(FEW, 6, *SLOW),
        ),
        options={},
    ),
    "supervisors-latency-python": Benchmark(
        scenario="latency",
        kind="python",
        programs=4,
        counted="kills",
        columns=("ms",),
        series=(
            *_series(MANY, 28, "ours-module", "ours-spare"),
            *_series(MANY, 14, "ours", *QUICK),
            *_series(FEW, 6, "supervisord", "circus"),
        ),
        options={},
    ),
    "supervisors-storm-c": Benchmark(
        scenario="storm",
        kind="c",
        programs=100,
        counted="storms",
        columns=("start_ms", "all_ms"),
        series=(
            *_series(MANY, 3, "ours", *QUICK),
            *_series(FEW, 2, "s6-plain", "supervisord", "circus"),
        ),
        options={},
    ),
    "supervisors-storm-python": Benchmark(
        scenario="storm",
        kind="python",
        programs=20,
        counted="storms",
        columns=("start_ms", "all_ms"),
        series=(
            *_series(MANY, 3, "ours-module", "ours-spare"),
            *_series(5, 2, "ours", *QUICK),
            *_series(2, 2, "supervisord", "circus"),
        ),
        options={},
    ),
    "supervisors-burst": Benchmark(
        scenario="burst",
        kind="c",
        programs=3,
        counted="bursts",
        columns=("kill", "ms"),
        series=_series(FEW, 1, "ours", *QUICK, "systemd-default", "erlang-default", "supervisord"),
        options={},
    ),
    "supervisors-death": Benchmark(
        scenario="death",
        kind="c",
        programs=3,
        counted="deaths",
        columns=(
            "configured",
            "alive",
            "killed_one_back_ms",
            "alive_after_second_start",
            "lost",
            "duplicates",
        ),
        series=_series(FEW, 1, "ours", "ours-init", *EVERYBODY, "s6-leaf", "runit-leaf"),
        options={},
    ),
    "supervisors-adoption": Benchmark(
        scenario="adoption",
        kind="c",
        programs=100,
        counted="deaths",
        columns=("supervised_ms", "delay_ms", "gap_ms", "later_ms", "lost", "duplicates"),
        series=_series(20, 50, "ours"),
        options={},
    ),
    "supervisors-hang": Benchmark(
        scenario="hang",
        kind="c",
        programs=3,
        counted="stops",
        columns=("ms",),
        series=(*_series(5, 10, "ours-watched"), *_series(2, 1, *EVERYBODY, "systemd-watchdog")),
        options={},
    ),
    "supervisors-hang-python": Benchmark(
        scenario="hang",
        kind="python",
        programs=3,
        counted="stops",
        columns=("ms",),
        series=_series(5, 10, "ours-module", "ours-watched"),
        options={},
    ),
    "supervisors-saturation": Benchmark(
        scenario="saturation",
        kind="python",
        programs=10,
        counted="seconds",
        columns=("seconds", "spinners", "hangs", "exits"),
        series=_series(1, 600, "ours-module"),
        options={},
    ),
    "supervisors-saturation-c": Benchmark(
        scenario="saturation",
        kind="c",
        programs=100,
        counted="seconds",
        columns=("seconds", "spinners", "hangs", "exits"),
        series=_series(1, 600, "ours-watched"),
        options={},
    ),
    "supervisors-idle": Benchmark(
        scenario="idle",
        kind="c",
        programs=100,
        counted="seconds",
        columns=("start_ms", "processes", "pss_mb", "wakeups_per_s", "cpu_percent"),
        series=(
            *_series(FEW, 30, "ours", "ours-quiet", *EVERYBODY),
            *_series(FEW, 30, "ours-beating", "systemd-watchdog"),
        ),
        options={"settle": 5.0},
    ),
}


def run(
    name: str, count: int, done: Done, only: Collection[str] = (), *, install: bool = True
) -> Iterator[Row]:
    """The missing rows of a benchmark, at most `count` measurements for each system.

    `only` names systems. The set-up comes first, unless everything is there already.
    """
    benchmark = BENCHMARKS[name]
    if install:
        for problem in setup.prepare():
            print(f"set-up: {problem}", flush=True)
    chosen = [each for each in benchmark.series if not only or each.system in only]
    for number in range(1, max(each.cells for each in chosen) + 1):
        turn = number % len(chosen)
        for series in (*chosen[turn:], *chosen[:turn]):
            each = min(series.each, count - (number - 1) * series.each)
            if number <= series.cells and each > 0:
                yield from _cell(benchmark, series.system, number, each, done)


def _cell(benchmark: Benchmark, name: str, number: int, each: int, done: Done) -> Iterator[Row]:
    system = SYSTEMS[name]
    key = {"system": name, "cell": str(number)}
    base = {
        "load": os.getloadavg()[0],
        "system": name,
        "version": "",
        "policy": system.policy,
        "kind": benchmark.kind,
        "programs": benchmark.programs,
        "cell": number,
        "n": 0,
        "note": "",
        **dict.fromkeys(benchmark.columns, ""),
    }
    try:
        base["version"] = system.version()
        if done({**key, "note": ""}):
            return
        yield {**base, **_measured(benchmark, name, number, each)}
    except NotToBeHad as error:
        note = f"{ABSENT}{error}"
        if number == 1 and not done({**key, "note": note}):
            yield {**base, "note": note}
    except CellError as error:
        yield {**base, "note": f"failed: {error}".replace("\t", " ")}


def _measured(benchmark: Benchmark, name: str, number: int, each: int) -> Row:
    request = {
        "system": name,
        "scenario": benchmark.scenario,
        "kind": benchmark.kind,
        "count": benchmark.programs,
        "options": {**benchmark.options, benchmark.counted: each, "seed": number},
    }
    timeout = BASE_SECONDS + EACH_SECONDS * each
    rows = measure(request, own_cgroup=SYSTEMS[name].own_cgroup, timeout=timeout)
    return {"n": len(rows), **{column: pack(rows, column) for column in benchmark.columns}}


def pack(rows: Sequence[Row], column: str) -> str:
    """One column of several rows in one cell of a table; what is the same in all stands once."""
    texts = [_text(row[column]) for row in rows]
    return texts[0] if column in ONCE and texts else " ".join(texts)


ONCE: Final = frozenset({"start_ms"})
"""Columns of which a cell has one figure however often it measures."""


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def unpack(cell: str) -> list[float | None]:
    """The figures in a cell of a table."""
    return [None if word == "-" else float(word) for word in cell.split()]

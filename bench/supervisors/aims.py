"""What ours should reach beside the peers, and whether it does. Pure.

A 99th percentile is believed from 300 values on, and the supervisor's death from 1000 repetitions:
with fewer an aim counts as missed, whatever they say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bench.aims import Finding
from bench.supervisors.benchmarks import unpack
from bench.supervisors.stats import Spread, spread
from bench.tables import Row

ENOUGH: Final = 300
DEATHS: Final = 1000
SATURATED_SECONDS: Final = 600
HANG_MS: Final = 1000.0
ADOPTED_MS: Final = 250.0
WAKEUPS: Final = 0.05
"""Per second: none, but for one in twenty seconds that is somebody else's doing."""
CPU_PERCENT: Final = 0.5

LATENCY: Final = (
    ("supervisors-latency-python", ("ours-module", "Python gRPC daemon, forked", 25.0, 50.0)),
    ("supervisors-latency-python", ("ours-spare", "Python gRPC daemon, warm spare", 15.0, 30.0)),
    ("supervisors-latency-c", ("ours", "trivial C program", 2.0, 5.0)),
)
STORMS: Final = (
    ("supervisors-storm-python", ("ours-module", "20 Python daemons killed at once", 500.0)),
    ("supervisors-storm-c", ("ours", "100 trivial programs killed at once", 100.0)),
)
HANGS: Final = (
    ("supervisors-hang-python", ("ours-module", "Python gRPC daemon")),
    ("supervisors-hang", ("ours-watched", "trivial C program")),
)
SATURATION: Final = (
    ("supervisors-saturation", ("ours-module", "modules")),
    ("supervisors-saturation-c", ("ours-watched", "foreign programs")),
)
NAMES: Final = (
    "supervisors-latency-c",
    "supervisors-latency-python",
    "supervisors-storm-c",
    "supervisors-storm-python",
    "supervisors-adoption",
    "supervisors-hang",
    "supervisors-hang-python",
    "supervisors-saturation",
    "supervisors-saturation-c",
    "supervisors-idle",
)
"""The tables that are held against aims."""
Results = Mapping[str, Sequence[Row]]


def check(results: Results) -> list[Finding]:
    """All aims against the newest rows by benchmark."""
    return [
        *(_latency(results[table], *aim) for table, aim in LATENCY),
        *(_storm(results[table], *aim) for table, aim in STORMS),
        _adoption(results["supervisors-adoption"]),
        *(_hang(results[table], *aim) for table, aim in HANGS),
        *(_saturation(results[table], *aim) for table, aim in SATURATION),
        _wakeups(results["supervisors-idle"]),
        _heartbeats(results["supervisors-idle"]),
    ]


def of(rows: Sequence[Row], system: str) -> list[Row]:
    """The rows of one system."""
    return [row for row in rows if row["system"] == system]


def values(rows: Sequence[Row], column: str) -> list[float | None]:
    """All figures of a column, in order; None where one did not come."""
    return [value for row in rows for value in unpack(row[column])]


def figures(rows: Sequence[Row], column: str) -> list[float]:
    """The figures of a column that did come."""
    return [value for value in values(rows, column) if value is not None]


def broken(rows: Sequence[Row]) -> int:
    """How many cells failed, and did not succeed when they were tried again."""
    good = {row["cell"] for row in rows if not row["note"]}
    return len({row["cell"] for row in rows} - good)


def _said(found: Spread) -> str:
    return (
        f"median {found.median:.1f} ms [{found.low:.1f}, {found.high:.1f}],"
        f" p99 {found.p99:.1f} ms, maximum {found.maximum:.1f} ms, n={found.count}"
    )


def _judged(aim: str, rows: Sequence[Row], column: str, most: Mapping[str, float]) -> Finding:
    """Every figure came, and the spread's fields named in `most` are not above it."""
    all_values, known = values(rows, column), figures(rows, column)
    if not known:
        return Finding(aim, "no result", False)
    found = spread(known)
    measured, missing = _said(found), len(all_values) - len(known)
    if missing or broken(rows):
        return Finding(aim, f"{measured}; {missing} never, {broken(rows)} cells failed", False)
    met = all(getattr(found, name) <= limit for name, limit in most.items())
    return Finding(aim, measured, met)


def _latency(rows: Sequence[Row], system: str, what: str, median: float, p99: float) -> Finding:
    aim = f"{what}: kill to ready, median {median:g} ms, p99 {p99:g} ms, n >= {ENOUGH}"
    mine = of(rows, system)
    finding = _judged(aim, mine, "ms", {"median": median, "p99": p99})
    met = finding.met and len(figures(mine, "ms")) >= ENOUGH
    return Finding(aim, finding.measured, met)


def _storm(rows: Sequence[Row], system: str, what: str, most: float) -> Finding:
    aim = f"{what}: all ready, median {most:g} ms"
    return _judged(aim, of(rows, system), "all_ms", {"median": most})


def _adoption(rows: Sequence[Row]) -> Finding:
    aim = (
        f"SIGKILL of jlaunchd with 100 programs: p99 {ADOPTED_MS:g} ms, 0 lost, 0 doubled,"
        f" n >= {DEATHS}"
    )
    mine = of(rows, "ours")
    finding = _judged(aim, mine, "supervised_ms", {"p99": ADOPTED_MS})
    if finding.measured == "no result":
        return finding
    lost, doubled = sum(figures(mine, "lost")), sum(figures(mine, "duplicates"))
    never = sum(1 for column in ("gap_ms", "later_ms") for v in values(mine, column) if v is None)
    measured = f"{finding.measured}, {lost:g} lost, {doubled:g} doubled, {never} never back"
    whole = not (lost or doubled or never) and len(figures(mine, "supervised_ms")) >= DEATHS
    return Finding(aim, measured, finding.met and whole)


def _hang(rows: Sequence[Row], system: str, what: str) -> Finding:
    aim = f"{what}: SIGSTOP to replaced, every time within {HANG_MS:g} ms"
    return _judged(aim, of(rows, system), "ms", {"maximum": HANG_MS})


def _saturation(rows: Sequence[Row], system: str, what: str) -> Finding:
    aim = f"{what}: 0 taken for hung in {SATURATED_SECONDS} s with all processors busy"
    mine = of(rows, system)
    seconds = sum(figures(mine, "seconds"))
    if not seconds:
        return Finding(aim, "no result", False)
    hangs, exits = sum(figures(mine, "hangs")), sum(figures(mine, "exits"))
    met = not (hangs or exits or broken(mine)) and seconds >= SATURATED_SECONDS
    return Finding(aim, f"{hangs:g} hangs, {exits:g} exits in {seconds:g} s", met)


def _wakeups(rows: Sequence[Row]) -> Finding:
    aim = "idle, 100 programs, heartbeats off: 0 wake-ups/s"
    known = figures(of(rows, "ours-quiet"), "wakeups_per_s")
    if not known:
        return Finding(aim, "no result", False)
    found = spread(known)
    return Finding(aim, f"median {found.median:.2f}/s, n={found.count}", found.median <= WAKEUPS)


def _heartbeats(rows: Sequence[Row]) -> Finding:
    aim = f"idle, 100 programs at 1 Hz: {CPU_PERCENT:g} % CPU"
    known = figures(of(rows, "ours-beating"), "cpu_percent")
    if not known:
        return Finding(aim, "no result", False)
    found = spread(known)
    measured = f"median {found.median:.2f} %, n={found.count}"
    return Finding(aim, measured, found.median <= CPU_PERCENT)

"""What the results should be, and whether they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.tables import Row, numbers, summarise

ENGINE: Final = "pfe0"
SUPERVISION: Final = ("jlaunchd", "launcher")
START_MS: Final = 1500.0
SERVING_MEDIAN_MS: Final = 25.0
SERVING_MAX_MS: Final = 50.0
PSS_MB: Final = 200.0
DEMO_SECONDS: Final = 40.0
STORM_MS: Final = 500.0
HANG_MS: Final = 1000.0
SATURATED_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One aim and what was measured."""

    aim: str
    measured: str
    met: bool


def check(results: Mapping[str, Sequence[Row]]) -> list[Finding]:
    """All aims against the results by benchmark; a benchmark without rows misses its aims."""
    return [
        *_start(results["start"]),
        *_recovery(results["recovery"]),
        *_memory(results["memory"]),
        *_demo(results["demo"]),
        *_launch(results["launch"]),
        *_storms(results["storms"]),
        *_hang(results["hang"]),
        *_false_kills(results["false-kills"]),
    ]


def _missing(aim: str) -> list[Finding]:
    return [Finding(aim, "no result", False)]


def _start(rows: Sequence[Row]) -> list[Finding]:
    aim = f"start to all ready: median under {START_MS:.0f} ms"
    values = numbers(rows, "ready_ms")
    if not values:
        return _missing(aim)
    found = summarise(values)
    measured = f"median {found.median:.0f} ms, maximum {found.maximum:.0f} ms, n={found.count}"
    return [Finding(aim, measured, found.median < START_MS)]


def _recovery(rows: Sequence[Row]) -> list[Finding]:
    if not rows:
        return _missing("kill to serving")
    findings = []
    for module in dict.fromkeys(row["module"] for row in rows):
        of_module = [row for row in rows if row["module"] == module]
        findings.append(_all_ready(module, of_module))
        if module not in SUPERVISION:
            findings.append(_serving(module, of_module))
    return findings


def _all_ready(module: str, rows: Sequence[Row]) -> Finding:
    values = numbers(rows, "ready_ms")
    measured = f"{len(values)} of {len(rows)}"
    if values:
        found = summarise(values)
        measured += f", median {found.median:.1f} ms, maximum {found.maximum:.1f} ms"
    effective = all(row["effective"] == "True" for row in rows)
    return Finding(
        f"{module}: ready after every kill", measured, effective and len(values) == len(rows)
    )


def _serving(module: str, rows: Sequence[Row]) -> Finding:
    aim = (
        f"{module}: kill to serving, median {SERVING_MEDIAN_MS:.0f} ms,"
        f" maximum {SERVING_MAX_MS:.0f} ms"
    )
    values = numbers(rows, "serving_ms")
    if not values:
        return Finding(aim, "no result", False)
    found = summarise(values)
    met = found.median <= SERVING_MEDIAN_MS and found.maximum <= SERVING_MAX_MS
    measured = f"median {found.median:.1f} ms, maximum {found.maximum:.1f} ms, n={found.count}"
    return Finding(aim, measured, met)


def _memory(rows: Sequence[Row]) -> list[Finding]:
    aim = f"whole router: under {PSS_MB:.0f} MB PSS"
    values = numbers(rows, "pss_mb")
    if not values:
        return _missing(aim)
    found = summarise(values)
    return [
        Finding(aim, f"maximum {found.maximum:.1f} MB, n={found.count}", found.maximum < PSS_MB)
    ]


def _demo(rows: Sequence[Row]) -> list[Finding]:
    if not rows:
        return _missing("demo: nobody else disturbed")
    disturbed = [row for row in rows if row["disturbed"] == "True" or row["failed"] == "True"]
    control = [row for row in rows if row["module"] != ENGINE]
    lost = [row for row in control if row["lost"] != "0"]
    engine = summarise(numbers([row for row in rows if row["module"] == ENGINE], "lost") or [0.0])
    seconds = summarise(numbers(rows, "run_seconds"))
    return [
        Finding(
            "demo: 0 rows that failed or disturbed others",
            f"{len(disturbed)} of {len(rows)}",
            not disturbed,
        ),
        Finding(
            "demo: 0 rows with loss unless the engine is hit",
            f"{len(lost)} of {len(control)}",
            not lost,
        ),
        Finding(
            "demo: 0 packets lost when the engine is hit",
            f"maximum {engine.maximum:.0f}",
            engine.maximum == 0,
        ),
        Finding(
            f"demo: under {DEMO_SECONDS:.0f} s",
            f"maximum {seconds.maximum:.1f} s",
            seconds.maximum < DEMO_SECONDS,
        ),
    ]


def _storms(rows: Sequence[Row]) -> list[Finding]:
    if not rows:
        return _missing("storms: nothing lost or doubled")
    wrong = [row for row in rows if row["lost"] != "0" or row["duplicates"] != "0"]
    complete = [row for row in rows if row["all_ready_ms"]]
    findings = [
        Finding(
            "storms: everything ready again, nothing lost or doubled",
            f"{len(complete)} of {len(rows)}, {len(wrong)} wrong",
            len(complete) == len(rows) and not wrong,
        )
    ]
    values = numbers([row for row in rows if row["way"] == "daemons"], "all_ready_ms")
    aim = f"20 daemons killed at once, all ready: median under {STORM_MS:.0f} ms"
    if not values:
        return [*findings, *_missing(aim)]
    found = summarise(values)
    measured = f"median {found.median:.0f} ms, maximum {found.maximum:.0f} ms, n={found.count}"
    return [*findings, Finding(aim, measured, found.median < STORM_MS)]


def _launch(rows: Sequence[Row]) -> list[Finding]:
    aim = "launch: a fork serves sooner than a fresh interpreter"
    fork = numbers([row for row in rows if row["launch"] == "fork"], "serving_ms")
    fresh = numbers([row for row in rows if row["launch"] == "exec"], "serving_ms")
    if not fork or not fresh:
        return _missing(aim)
    a, b = summarise(fork), summarise(fresh)
    measured = (
        f"fork {a.median:.1f} ms, exec {b.median:.1f} ms (medians), {b.median / a.median:.1f} x"
    )
    return [Finding(aim, measured, a.median < b.median)]


def _hang(rows: Sequence[Row]) -> list[Finding]:
    if not rows:
        return _missing("hang to replaced")
    findings = []
    for module, kind in dict.fromkeys((row["module"], row["kind"]) for row in rows):
        of_kind = [row for row in rows if (row["module"], row["kind"]) == (module, kind)]
        values = numbers(of_kind, "ready_ms")
        measured = f"{len(values)} of {len(of_kind)}"
        met = all(row["effective"] == "True" for row in of_kind) and len(values) == len(of_kind)
        aim = f"{module}: {kind} to replaced"
        if module not in SUPERVISION:
            aim += f", maximum {HANG_MS:.0f} ms"
            met = met and bool(values) and max(values) <= HANG_MS
        if values:
            found = summarise(values)
            measured += f", median {found.median:.0f} ms, maximum {found.maximum:.0f} ms"
        findings.append(Finding(aim, measured, met))
    return findings


def _false_kills(rows: Sequence[Row]) -> list[Finding]:
    aim = f"all processors busy for {SATURATED_SECONDS:.0f} s: nobody is taken for hanging"
    if not rows:
        return _missing(aim)
    seconds, kills = sum(numbers(rows, "seconds")), sum(numbers(rows, "kills"))
    found = numbers(rows, "stopped_ready_ms")
    slowest = f", maximum {max(found):.0f} ms" if found else ""
    return [
        Finding(aim, f"{kills:.0f} in {seconds:.0f} s", not kills and seconds >= SATURATED_SECONDS),
        Finding(
            "all processors busy: whoever is stopped is replaced",
            f"{len(found)} of {len(rows)}{slowest}",
            len(found) == len(rows),
        ),
    ]

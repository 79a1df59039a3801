"""An aim is met by enough good figures, and missed by one that did not come."""

from __future__ import annotations

from bench.supervisors.aims import NAMES, broken, check, figures, values
from bench.supervisors.benchmarks import BENCHMARKS

Table = list[dict[str, str]]


def row(system: str, cell: int = 1, note: str = "", **columns: str) -> dict[str, str]:
    return {"system": system, "cell": str(cell), "note": note, **columns}


def times(value: str, count: int) -> str:
    return " ".join([value] * count)


def deaths(count: int, **changes: str) -> dict[str, str]:
    columns = {
        "supervised_ms": times("150", count),
        "gap_ms": times("160", count),
        "later_ms": times("2", count),
        "lost": times("0", count),
        "duplicates": times("0", count),
    }
    return {**row("ours"), **columns, **changes}


GOOD: dict[str, Table] = {
    "supervisors-latency-python": [
        row("ours-module", ms=times("20", 300)),
        row("ours-spare", ms=times("12", 300)),
        row("s6", ms=times("180", 20)),
    ],
    "supervisors-latency-c": [row("ours", ms=times("1.5", 300))],
    "supervisors-storm-python": [row("ours-module", all_ms="400 420")],
    "supervisors-storm-c": [row("ours", all_ms="80 90")],
    "supervisors-adoption": [deaths(1000)],
    "supervisors-hang-python": [row("ours-module", ms="900 950")],
    "supervisors-hang": [row("ours-watched", ms="800 850"), row("s6", ms="-")],
    "supervisors-saturation": [row("ours-module", seconds="600", hangs="0", exits="0")],
    "supervisors-saturation-c": [row("ours-watched", seconds="600", hangs="0", exits="0")],
    "supervisors-idle": [
        row("ours-quiet", wakeups_per_s="0", cpu_percent="0"),
        row("ours-beating", wakeups_per_s="100", cpu_percent="0.4"),
    ],
}


def missed(**changes: Table) -> list[str]:
    results = {**GOOD, **{name.replace("_", "-"): rows for name, rows in changes.items()}}
    return [finding.aim for finding in check(results) if not finding.met]


def test_good_results_meet_every_aim() -> None:
    assert [] == missed()


def test_without_results_every_aim_is_missed() -> None:
    findings = check({name: [] for name in NAMES})

    assert {"no result"} == {finding.measured for finding in findings}
    assert not any(finding.met for finding in findings)


def test_every_table_that_is_held_against_an_aim_is_a_benchmark() -> None:
    assert set(NAMES) <= set(BENCHMARKS)
    assert set(NAMES) == set(GOOD)


def test_too_few_kills_are_not_believed() -> None:
    rows = [row("ours", ms=times("1.5", 299))]

    assert 1 == len(missed(supervisors_latency_c=rows))


def test_a_slow_median_or_a_slow_tail_misses() -> None:
    assert 1 == len(missed(supervisors_latency_c=[row("ours", ms=times("2.1", 300))]))
    tail = times("1.5", 296) + " " + times("5.1", 4)
    assert 1 == len(missed(supervisors_latency_c=[row("ours", ms=tail)]))


def test_a_program_that_never_came_back_misses() -> None:
    rows = [row("ours", ms=times("1.5", 300) + " -")]

    assert 1 == len(missed(supervisors_latency_c=rows))


def test_a_cell_that_failed_misses_unless_it_was_measured_later() -> None:
    good = row("ours", 1, ms=times("1.5", 300))
    failed = row("ours", 2, "failed: cannot start", ms="")
    again = row("ours", 2, ms="1.5")

    assert 1 == len(missed(supervisors_latency_c=[good, failed]))
    assert [] == missed(supervisors_latency_c=[good, failed, again])
    assert 0 == broken([failed, again])


def test_one_lost_or_doubled_program_misses() -> None:
    assert 1 == len(missed(supervisors_adoption=[deaths(1000, lost=times("0", 999) + " 1")]))
    assert 1 == len(missed(supervisors_adoption=[deaths(1000, duplicates="1")]))
    assert 1 == len(missed(supervisors_adoption=[deaths(1000, gap_ms=times("160", 999) + " -")]))
    assert 1 == len(missed(supervisors_adoption=[deaths(999)]))


def test_one_hang_that_is_replaced_late_or_never_misses() -> None:
    assert 1 == len(missed(supervisors_hang=[row("ours-watched", ms="800 1001")]))
    assert 1 == len(missed(supervisors_hang=[row("ours-watched", ms="800 -")]))


def test_one_false_alarm_misses() -> None:
    rows = [row("ours-module", seconds="600", hangs="1", exits="1")]

    assert 1 == len(missed(supervisors_saturation=rows))
    short = [row("ours-module", seconds="599", hangs="0", exits="0")]
    assert 1 == len(missed(supervisors_saturation=short))


def test_wake_ups_and_processor_time_miss_above_their_aims() -> None:
    busy = [
        row("ours-quiet", wakeups_per_s="8", cpu_percent="0"),
        row("ours-beating", wakeups_per_s="100", cpu_percent="0.6"),
    ]

    assert 2 == len(missed(supervisors_idle=busy))


def test_figures_leave_out_what_did_not_come() -> None:
    rows = [row("ours", ms="1 -"), row("ours", ms="3")]

    assert [1.0, None, 3.0] == values(rows, "ms")
    assert [1.0, 3.0] == figures(rows, "ms")

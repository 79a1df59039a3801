"""The tables show every system with its policy, and say why one is not there."""

from __future__ import annotations

from bench.supervisors.report import load, table

BASE = {"policy": "always", "version": "1", "cell": "1", "note": "", "load": "0.5"}


def row(system: str, **columns: str) -> dict[str, str]:
    return {**BASE, "system": system, **columns}


def test_the_quickest_stands_first_with_its_ratio_to_ours() -> None:
    rows = [row("supervisord", ms="100 -"), row("ours", ms="10 10")]
    lines = table("supervisors-latency-c", rows)

    assert lines[2].startswith("| ours 1 | always | 2 | 10.0 [10.0, 10.0] | 10.0 | 10.0 | 0 | 1.00")
    assert lines[3].startswith("| supervisord 1 | always | 1 | 100.0")
    assert "| 1 | 10.00 |" in lines[3]


def test_an_absent_peer_says_why() -> None:
    rows = [row("dinit", ms="", note="not to be had here: no package")]

    assert "not to be had here: no package" in table("supervisors-latency-c", rows)[2]


def test_a_hang_that_nobody_notices_is_never() -> None:
    assert "| never |" in table("supervisors-hang", [row("s6", ms="-")])[2]


def test_other_tables_show_medians_of_all_columns() -> None:
    columns = {"start_ms": "200", "processes": "3", "pss_mb": "20", "wakeups_per_s": "0"}
    rows = [row("ours", **columns, cpu_percent="0.1"), row("ours", **columns, cpu_percent="0.3")]

    assert "| 2 | 200 | 3 | 20 | 0 | 0.2 | 0.5-0.5 |" in table("supervisors-idle", rows)[2]


def test_a_program_that_was_not_restarted_is_never() -> None:
    columns = dict.fromkeys(("configured", "alive", "alive_after_second_start"), "3")
    rows = [row("erlang", **columns, killed_one_back_ms="-", lost="0", duplicates="2")]

    assert "| 3 | 3 | never | 3 | 0 | 2 |" in table("supervisors-death", rows)[2]


def test_the_load_is_given_from_least_to_most() -> None:
    assert "0.5-2.3" == load([row("ours"), {**row("ours"), "load": "2.31"}])

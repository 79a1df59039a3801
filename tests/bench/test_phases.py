"""The table of a restart's steps, out of rows."""

from __future__ import annotations

from bench.phases import STEPS, medians, table


def row(module: str, **steps: float) -> dict[str, str]:
    return {"module": module, **{step: str(steps.get(step, "")) for step in STEPS}}


def test_a_median_is_of_the_runs_that_reached_the_step() -> None:
    rows = [row("rpd", exit=1, ready=9), row("rpd", exit=3, ready=7), row("rpd", exit=2)]

    assert medians(rows) == {"exit": 2.0, "ready": 8.0}


def test_each_step_is_shown_with_what_it_took_since_the_one_before() -> None:
    lines = list(table([row("rpd", exit=2, told=5), row("pfe0", exit=1)]))

    assert [line.split() for line in lines] == [
        ["step", "rpd", "pfe0"],
        ["exit", "2.00", "+2.00", "1.00", "+1.00"],
        ["told", "5.00", "+3.00"],
    ]

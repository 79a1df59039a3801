"""The verdict: who counts as disturbed, and which exit status follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jsupervisor.demo.rows import Row, Verdict, exit_code, is_engine, verdict

CLEAN = Row(
    module="rpd",
    fault="kill",
    detected_ms=3.0,
    ready_ms=25.0,
    offered=4000,
    lost=0,
    socket_dropped=0,
    others_restarted=0,
    rpc_sessions_dropped=0,
    outage_ms_by_loss=0.0,
    outage_ms_by_gap=1.23456,
)


def test_rows_in_which_nobody_else_noticed_are_isolated() -> None:
    assert Verdict.ISOLATED is verdict([CLEAN, CLEAN])
    assert 0 == exit_code([CLEAN], Verdict.ISOLATED)


@pytest.mark.parametrize(
    "row",
    [
        replace(CLEAN, others_restarted=1),
        replace(CLEAN, rpc_sessions_dropped=1),
        replace(CLEAN, lost=1),
        replace(CLEAN, module="pfectl0", lost=1),
        replace(CLEAN, module="pfe0", others_restarted=1),
    ],
)
def test_one_row_with_a_trace_elsewhere_is_enough(row: Row) -> None:
    assert Verdict.DISTURBED is verdict([CLEAN, row])
    assert 1 == exit_code([CLEAN, row], Verdict.ISOLATED)
    assert 0 == exit_code([CLEAN, row], Verdict.DISTURBED)


def test_packets_lost_by_the_death_of_the_engine_itself_disturb_nobody() -> None:
    assert Verdict.ISOLATED is verdict([replace(CLEAN, module="pfe0", lost=7)])


@pytest.mark.parametrize("row", [replace(CLEAN, ready_ms=None), replace(CLEAN, problems=("x",))])
@pytest.mark.parametrize("expected", list(Verdict))
def test_a_row_that_failed_fails_the_demo_whatever_was_expected(
    row: Row, expected: Verdict
) -> None:
    assert row.failed
    assert 1 == exit_code([row], expected)


def test_a_demo_without_rows_shows_nothing() -> None:
    assert 1 == exit_code([], Verdict.ISOLATED)


def test_an_isolated_run_is_not_what_a_control_expects() -> None:
    assert 1 == exit_code([CLEAN], Verdict.DISTURBED)


def test_the_json_of_a_row_is_the_contracts() -> None:
    assert {
        "module": "rpd",
        "fault": "kill",
        "detected_ms": 3.0,
        "ready_ms": 25.0,
        "offered": 4000,
        "lost": 0,
        "socket_dropped": 0,
        "others_restarted": 0,
        "rpc_sessions_dropped": 0,
        "outage_ms_by_loss": 0.0,
        "outage_ms_by_gap": 1.235,
    } == CLEAN.to_json()


def test_an_engine_is_not_its_control_process() -> None:
    assert [True, True, False, False] == [is_engine(x) for x in ("pfe0", "pfe12", "pfectl0", "rpd")]

"""Scenarios against a supervisor of a few lines, which starts again whatever has died."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench.supervisors.work import COMPILER, build

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler"),
]
ROOT = Path(__file__).resolve().parents[3]
Row = dict[str, float | None]


@pytest.fixture(scope="module")
def trivial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("trivial"))


class Cell:
    """Runs scenarios in a child process; `error` is what it said last."""

    def __init__(self, folder: Path, trivial: Path) -> None:
        self._folder, self._trivial = folder, trivial
        self.error = ""
        self.left: float | None = None

    def run(self, scenario: str, kind: str = "simple", **options: float) -> list[Row]:
        request = {
            "scenario": scenario,
            "options": options,
            "folder": str(self._folder),
            "trivial": str(self._trivial),
            "kind": kind,
        }
        result = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("simple.py")), json.dumps(request)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        *rows, last = [json.loads(line) for line in result.stdout.splitlines()]
        self.left = last["left"]
        self.error = (result.stderr.splitlines() or [""])[-1]
        return rows


@pytest.fixture
def cell(tmp_path: Path, trivial: Path) -> Cell:
    return Cell(tmp_path, trivial)


def test_kills_in_turn_are_each_recovered_from_and_nothing_is_left(cell: Cell) -> None:
    rows = cell.run("latency", kills=4, seed=1)

    assert "" == cell.error
    assert [True] * 4 == [(row["ms"] or 0) > 0 for row in rows]
    assert 0 == cell.left


def test_a_storm_ends_with_the_last_one_back(cell: Cell) -> None:
    rows = cell.run("storm", storms=2)

    assert [True, True] == [(row["all_ms"] or 0) > 0 for row in rows]


def test_a_burst_is_ten_kills(cell: Cell) -> None:
    assert list(range(1, 11)) == [row["kill"] for row in cell.run("burst")]


def test_the_cost_is_that_of_the_supervisor_alone(cell: Cell) -> None:
    (row,) = cell.run("idle", settle=0.0, seconds=0.1)

    assert (1, 0.0) == (row["processes"], row["wakeups_per_s"])


def test_a_hang_that_nobody_notices_has_no_time(cell: Cell) -> None:
    assert [{"ms": None}] == cell.run("hang", stops=1)
    assert 0 == cell.left


def test_a_supervisor_that_knows_nothing_of_its_predecessor_makes_duplicates(cell: Cell) -> None:
    (row,) = cell.run("death")

    assert (3, 3, None) == (row["configured"], row["alive"], row["killed_one_back_ms"])
    assert (5, 0, 2) == (row["alive_after_second_start"], row["lost"], row["duplicates"])
    assert 0 == cell.left


def test_a_supervisor_that_ends_at_once_is_not_waited_for(cell: Cell) -> None:
    assert [] == cell.run("latency", kind="broken", kills=1, seed=1)
    assert "3 of 3 missing: cannot do that" in cell.error

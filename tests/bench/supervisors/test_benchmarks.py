"""Which cells are measured, in which order, and how a cell becomes a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from bench.supervisors import benchmarks
from bench.supervisors.benchmarks import ABSENT, BENCHMARKS, Row, pack, run, unpack
from bench.supervisors.catalogue import SYSTEMS
from bench.supervisors.enclosure import CellError
from bench.supervisors.work import NotToBeHad

NAME = "supervisors-latency-c"


class Enclosure:
    """Answers for the cells that would be measured, and notes which."""

    def __init__(self) -> None:
        self.cells: list[tuple[object, object]] = []
        self.fails: set[str] = set()

    def measure(
        self, request: Mapping[str, object], *, own_cgroup: bool, timeout: float
    ) -> list[Mapping[str, object]]:
        options = request["options"]
        assert isinstance(options, dict)
        self.cells.append((request["system"], options["kills"]))
        if request["system"] in self.fails:
            raise CellError("cannot start")
        return [{"ms": 1.25}, {"ms": None}]


@pytest.fixture
def enclosure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Enclosure]:
    fake = Enclosure()
    monkeypatch.setattr(benchmarks, "measure", fake.measure)
    for name in ("ours", "s6", "runit", "supervisord"):
        monkeypatch.setattr(SYSTEMS[name], "version", classmethod(lambda _: "1.0"))
    yield fake


def rows(count: int, *only: str, known: int = 0) -> list[Mapping[str, object]]:
    return list(run(NAME, count, lambda _: known, only, install=False))


def test_systems_take_turns_and_each_begins_in_its_turn(enclosure: Enclosure) -> None:
    rows(28, "runit", "s6")

    assert [("runit", 14), ("s6", 14), ("s6", 14), ("runit", 14)] == enclosure.cells


def test_a_small_count_makes_one_small_cell(enclosure: Enclosure) -> None:
    rows(3, "ours", "supervisord")

    assert [("supervisord", 3), ("ours", 3)] == enclosure.cells


def test_slow_systems_have_fewer_cells(enclosure: Enclosure) -> None:
    rows(1000, "ours", "supervisord")

    assert 3 == sum(1 for name, _ in enclosure.cells if name == "supervisord")
    assert 11 == sum(1 for name, _ in enclosure.cells if name == "ours")


def test_what_is_done_is_not_measured_again(enclosure: Enclosure) -> None:
    assert [] == rows(28, "ours", known=1)
    assert [] == enclosure.cells


def test_a_cell_is_one_row_with_all_its_figures(enclosure: Enclosure) -> None:
    (row,) = rows(2, "ours")

    assert ("ours", 2, "1.25 -", "") == (row["system"], row["n"], row["ms"], row["note"])
    assert [1.25, None] == unpack(str(row["ms"]))


def test_a_cell_that_failed_is_a_row_that_says_why(enclosure: Enclosure) -> None:
    enclosure.fails.add("s6")
    (row,) = rows(1, "s6")

    assert ("failed: cannot start", 0, "") == (row["note"], row["n"], row["ms"])


def test_an_absent_peer_is_one_row_with_the_reason(
    enclosure: Enclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> str:
        raise NotToBeHad("no package")

    monkeypatch.setattr(SYSTEMS["s6"], "version", classmethod(refuse))
    found = rows(100, "s6")

    assert [f"{ABSENT}no package"] == [row["note"] for row in found]
    assert [] == enclosure.cells


def test_what_is_the_same_in_all_rows_stands_once() -> None:
    found: list[Row] = [{"start_ms": 5.0, "all_ms": 1.5}, {"start_ms": 5.0, "all_ms": None}]

    assert "5" == pack(found, "start_ms")
    assert "1.5 -" == pack(found, "all_ms")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_names_known_systems_once_and_ours_first(name: str) -> None:
    systems = [series.system for series in BENCHMARKS[name].series]

    assert len(systems) == len(set(systems))
    assert set(systems) <= set(SYSTEMS)
    assert systems[0].startswith("ours")

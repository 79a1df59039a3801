"""Result tables grow by whole rows and say what is there already."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.tables import Summary, TableError, append, done, newest, numbers, read, summarise


def test_rows_are_read_as_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.tsv"
    append(path, {"revision": "a", "ms": 1.23456})
    append(path, {"revision": "a", "ms": None})

    assert [{"revision": "a", "ms": "1.235"}, {"revision": "a", "ms": "None"}] == read(path)
    assert [1.235] == numbers(read(path), "ms")


def test_a_file_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    assert [] == read(tmp_path / "x.tsv")
    assert [] == newest([])


def test_other_columns_are_refused(tmp_path: Path) -> None:
    append(tmp_path / "x.tsv", {"revision": "a"})

    with pytest.raises(TableError, match="cannot add to"):
        append(tmp_path / "x.tsv", {"revision": "a", "ms": 1.0})


def test_a_torn_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("revision\tms\na\n")

    with pytest.raises(TableError, match="line 2 has 1 cells"):
        read(tmp_path / "x.tsv")


def test_what_is_done_is_counted_by_revision_and_value() -> None:
    rows = [{"revision": "a", "m": "x"}, {"revision": "b", "m": "x"}, {"revision": "b", "m": "y"}]

    assert 2 == done(rows, "b")
    assert 1 == done(rows, "b", m="x")
    assert rows[1:] == newest(rows)


def test_a_summary_has_median_and_maximum() -> None:
    assert Summary(3, 2.0, 9.0) == summarise([9.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="nothing"):
        summarise([])

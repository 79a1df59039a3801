"""Reading data in which anything may be missing."""

from __future__ import annotations

import pytest

from jsupervisor.cli.render.values import lines, rows, table, text
from jsupervisor.initproto import Json


def test_a_path_leads_to_a_table() -> None:
    assert {"c": "1"} == table({"a": {"b": {"c": "1"}}}, "a", "b")


@pytest.mark.parametrize("data", [None, "x", 1, [], {}, {"a": None}, {"a": "x"}, {"a": []}])
def test_where_there_is_none_it_is_empty(data: Json) -> None:
    assert {} == table(data, "a", "b")


@pytest.mark.parametrize(
    ("value", "found"),
    [([{"n": "1"}], [{"n": "1"}]), ({"n": "1"}, [{"n": "1"}]), ("x", []), (None, []), ([1], [])],
)
def test_one_row_and_a_list_of_one_are_the_same(value: Json, found: list[Json]) -> None:
    assert found == rows({"r": value}, "r")


@pytest.mark.parametrize(
    ("value", "shown"), [("x", "x"), (7, "7"), ("", "-"), (None, "-"), ({}, "-"), ([], "-")]
)
def test_a_missing_text_has_a_default(value: Json, shown: str) -> None:
    assert shown == text({"k": value}, "k", "-")
    assert "" == text({}, "k")


def test_lines_have_no_trailing_blanks() -> None:
    assert "a\n b\n" == lines(["a  ", " b"])

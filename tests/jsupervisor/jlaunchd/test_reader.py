"""Reading tables: the right value, or an error that names file and key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time

import pytest

from jsupervisor.jlaunchd.reader import PlanError, Section


def section(**table: object) -> Section:
    """The table [top] of a file."""
    return Section("a.toml", "top", table)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda s: s.string("word"), "x"),
        (lambda s: s.string("gone", "y"), "y"),
        (lambda s: s.choice("word", ("x", "y"), "y"), "x"),
        (lambda s: s.strings("list"), ("a", "b")),
        (lambda s: s.strings("gone"), ()),
        (lambda s: s.number("count", 1.0), 3.0),
        (lambda s: s.seconds("gone", 1.5), 1.5),
        (lambda s: s.count("count", 1, least=3, most=3), 3),
        (lambda s: s.flag("off", default=True), False),
        (lambda s: s.flag("table", default=False), True),
        (lambda s: s.flag("gone", default=True), True),
        (lambda s: s.table("table"), {"a": {"b": [1]}}),
        (lambda s: s.table("gone"), {}),
        (lambda s: s.section("table").names(), ["a"]),
        (lambda s: s.section("gone", optional=True).names(), []),
        (lambda s: s.section("off").names(), []),
        (lambda s: [n.key for n in s.named_sections("table")], ["a"]),
        (lambda s: [n.path for n in s.named_sections("table")], ["top.table.a"]),
        (lambda s: [n.path for n in s.sections("tables")], ["top.tables[0]", "top.tables[1]"]),
        (lambda s: s.sections("gone"), []),
    ],
)
def test_a_value_of_the_right_type_is_read(
    read: Callable[[Section], object], value: object
) -> None:
    table: dict[str, object] = {"a": {"b": [1]}}
    read_from = section(
        word="x", list=["a", "b"], count=3, off=False, table=table, tables=[{"a": 1}, {}]
    )

    assert value == read(read_from)


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (lambda s: s.string("gone"), "top.gone: is missing"),
        (lambda s: s.string("count"), "top.count: 3 is not a string"),
        (lambda s: s.choice("word", ("y", "z"), "y"), "top.word: 'x' is not one of y, z"),
        (lambda s: s.strings("word"), "top.word: not a list of strings"),
        (lambda s: s.strings("numbers"), "top.numbers: not a list of strings"),
        (lambda s: s.number("word", 1.0), "top.word: 'x' is not a number"),
        (lambda s: s.number("yes", 1.0), "top.yes: True is not a number"),
        (lambda s: s.number("count", 1.0, most=2.0), "top.count: 3 is not between 0 and 2"),
        (lambda s: s.number("nan", 1.0), "top.nan: nan is not between 0 and 86400"),
        (lambda s: s.seconds("minus", 1.0), "top.minus: -1 is not between 0 and 86400"),
        (lambda s: s.count("minus", 1, least=0, most=9), "-1 is not a whole number from 0 to 9"),
        (lambda s: s.count("half", 1, least=0), "top.half: 0.5 is not a whole number"),
        (lambda s: s.count("yes", 1, least=0), "top.yes: True is not a whole number"),
        (lambda s: s.section("gone"), "top.gone: is missing"),
        (lambda s: s.section("count"), "top.count: not a table"),
        (lambda s: s.named_sections("nested"), "top.nested.b: not a table"),
        (lambda s: s.sections("nested"), r"top.nested: not a list of tables \[\[nested\]\]"),
        (lambda s: s.sections("numbers"), r"top.numbers: not a list of tables \[\[numbers\]\]"),
        (lambda s: s.table("word"), "top.word: not a table"),
        (lambda s: s.table("dates"), "top.dates.a: a date is not used here"),
        (lambda s: s.table("times"), "top.times.a.b: a date is not used here"),
        (lambda s: s.done(), "top.count: unknown key; known are "),
    ],
)
def test_anything_else_is_an_error_that_names_file_and_key(
    read: Callable[[Section], object], error: str
) -> None:
    read_from = section(
        count=3,
        word="x",
        numbers=[1],
        yes=True,
        nan=float("nan"),
        minus=-1,
        half=0.5,
        nested={"b": 1},
        dates={"a": [date(2026, 1, 1)]},
        times={"a": {"b": time(1)}},
    )

    with pytest.raises(PlanError, match="cannot use profile a.toml: .*" + error):
        read(read_from)


def test_the_top_of_a_file_has_no_path_of_its_own() -> None:
    top = Section("a.toml", "", {"x": 1})

    with pytest.raises(PlanError, match=r"^cannot use profile a.toml: x: unknown key"):
        top.done()


def test_a_name_with_a_dot_is_one_key() -> None:
    top = Section("a.toml", "", {"program": {"a.b": {}}})

    assert ["a.b"] == [named.key for named in top.named_sections("program")]

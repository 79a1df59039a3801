"""Rows as cells."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.top.columns import (
    COLUMNS,
    fitted,
    name_cell,
    place,
    plain,
    standing,
    title,
    totals,
)
from jsupervisor.top.fakes import BOOT, SECOND, counts, snapshot
from jsupervisor.top.model import Header, Kind, Model, Row, View

ROW = Row(
    name="rpd",
    kind=Kind.MODULE,
    state="up",
    pid=13,
    incarnation=2,
    restarts=1,
    cause="signal:SIGSEGV",
    up_seconds=192.0,
    down_seconds=0.06,
    cpu_percent=1.25,
    resident_bytes=55 << 20,
    rpc_rate=12.0,
    beat_seconds=0.12,
    policy="junos",
)


def view() -> View:
    model = Model()
    model.look(snapshot(counts={"rpd": counts(handled=20)}))
    return model.view(BOOT + 10 * SECOND)


def header(**changes: object) -> Header:
    return replace(view().header, **changes)  # type: ignore[arg-type]


def cells(row: Row, width: int = 200) -> dict[str, str]:
    layout = place(width)
    return {each.column.title: each.text(row).strip() for each in layout.columns}


def test_everything_is_shown_where_there_is_room() -> None:
    assert {
        "MODULE": "rpd", "STATE": "● up", "PID": "13", "INC": "2", "RST": "1", "UP": "3m12s",
        "DOWN": "60ms", "TOTAL": "-", "CPU%": "1.2", "MEM": "55M", "RPC/s": "12", "BEAT": "120ms",
        "LAST CAUSE": "SIGSEGV", "POLICY": "junos",
    } == cells(ROW)  # fmt: skip


def test_eighty_columns_keep_what_matters_most() -> None:
    assert [
        "MODULE", "STATE", "PID", "RST", "UP", "DOWN", "CPU%", "MEM", "RPC/s", "LAST CAUSE",
    ] == [each.column.title for each in place(78).columns]  # fmt: skip


@given(st.integers(0, 400))
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    layout = place(width)
    total = sum(each.width for each in layout.columns) + layout.gap * (len(layout.columns) - 1)
    least = place(0)

    assert total <= max(width, sum(e.width for e in least.columns) + len(least.columns) - 1)
    assert all(len(each.text(ROW)) == each.width for each in layout.columns)


def test_a_wider_screen_never_shows_less() -> None:
    numbers = [len(place(width).columns) for width in range(60, 200)]

    assert sorted(numbers) == numbers
    assert len(COLUMNS) == numbers[-1]


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        ("signal:SIGKILL", "SIGKILL"),
        ("requested:gracefully", "gracefully"),
        ("exit:17", "exit:17"),
        ("hang", "hang"),
        ("", "-"),
    ],
)
def test_a_cause_is_told_in_short(cause: str, shown: str) -> None:
    assert shown == cells(replace(ROW, cause=cause))["LAST CAUSE"]


def test_a_gap_that_goes_on_is_marked() -> None:
    assert "60ms…" == cells(replace(ROW, still_down=True))["DOWN"]


def test_what_stands_in_a_group_is_indented_and_a_group_has_no_dot() -> None:
    group = Row(name="routing", kind=Kind.GROUP, depth=1, state="2/2 up")

    assert "    rpd" == name_cell(replace(ROW, depth=2))
    assert "  ▾ routing" == name_cell(group)
    assert "2/2 up" == cells(group)["STATE"]


def test_a_text_that_is_too_long_ends_in_a_sign_of_it() -> None:
    assert ["abc…", " abc", "abc "] == [
        fitted("abcdef", 4, False),
        fitted("abc", 4, True),
        fitted("abc", 4, False),
    ]


def test_the_title_says_what_it_is() -> None:
    assert "r1 · vmx · modular   policy junos   up 10s" == title(header())
    assert "   up -" == title(Model().view(0).header)


def test_totals_name_trouble_only_where_there_is_some() -> None:
    assert "2/2 up  restarts 0  failures 0  down 0.0ms  CPU 0.0%  mem 250M  RPC 2.0/s" == totals(
        header()
    )
    assert "hangs 2  " in totals(header(hangs=2))
    assert totals(header(alarms=1)).endswith("  alarms 1")


def test_whoever_is_away_is_named() -> None:
    assert "" == standing(header())
    assert "supervisor is away, trying again" == standing(header(supervised=False))
    assert "supervisor is away, trying again (7s)" == standing(
        header(supervised=False, away_seconds=7.5)
    )
    assert "the instance is away, trying again (7s): this is what was known last" == standing(
        header(supervised=False, reached=False, away_seconds=7.5)
    )


def test_a_plain_table_has_no_trailing_blanks() -> None:
    lines = plain(view().header, view().rows, 120)

    assert "r1 · vmx" == lines[0][:8]
    assert "MODULE" == lines[3].split()[0]
    assert ["init", "jlaunchd", "launcher", "rpd", "dcd"] == [line.split()[0] for line in lines[4:]]
    assert all(line == line.rstrip() for line in lines)

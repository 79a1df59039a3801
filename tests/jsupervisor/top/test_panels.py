"""The table of modules and the log of events, drawn without a terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.jlaunchd.groups import Group
from jsupervisor.top.fakes import Stage, module, play, record, snapshot, status, uses
from jsupervisor.top.model import Kind, Row
from jsupervisor.top.panels import BUSY, EVENTS, FAINT, EventLog, ModuleTable, event_line, style

UP = Row(name="rpd", kind=Kind.MODULE, state="up")


def table(stage: Stage) -> ModuleTable:
    return stage.app.board.query_one(ModuleTable)


@pytest.mark.parametrize(
    ("title", "row", "colour"),
    [
        ("STATE", UP, "green"),
        ("STATE", replace(UP, state="failed"), "bold red"),
        ("STATE", replace(UP, state="what"), ""),
        ("STATE", Row(name="g", kind=Kind.GROUP, state="1/1 up"), ""),
        ("STATE", replace(UP, stale=True), "dim"),
        ("MODULE", UP, ""),
        ("MODULE", replace(UP, kind=Kind.KEEPER), "cyan"),
        ("DOWN", UP, ""),
        ("DOWN", replace(UP, still_down=True), "bold red"),
        ("RST", replace(UP, restarts=0), ""),
        ("RST", replace(UP, restarts=1), "yellow"),
        ("CPU%", replace(UP, cpu_percent=BUSY), "bold yellow"),
        ("CPU%", UP, ""),
        ("BEAT", replace(UP, beat_seconds=0.9), ""),
        ("BEAT", replace(UP, beat_seconds=1.0), "bold red"),
        ("POLICY", UP, FAINT),
    ],
)
def test_a_colour_says_what_to_look_at(title: str, row: Row, colour: str) -> None:
    assert colour == style(title, row)


def test_the_cursor_goes_through_the_rows_and_no_further(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        names = []
        for key in ("up", "down", "down", "end", "down", "home", "j", "k", "pagedown", "pageup"):
            await stage.press(key)
            chosen = table(stage).chosen
            names.append(chosen.name if chosen else "")

        assert [
            "init", "jlaunchd", "launcher", "dcd", "dcd", "init", "jlaunchd", "init", "dcd", "init",
        ] == names  # fmt: skip

    play(script, tmp_path)


def test_the_cursor_stays_on_its_module_when_rows_come_and_go(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        await stage.press("end")
        more = status(module("mgd", 15), module("rpd", 13), module("dcd", 14))
        await stage.give(snapshot(11.0, status=more))
        kept = table(stage).chosen
        await stage.give(snapshot(12.0, status=status(module("rpd", 13))))
        left = table(stage).chosen

        assert kept is not None and "dcd" == kept.name
        assert left is not None and "rpd" == left.name

    play(script, tmp_path)


def test_a_click_chooses_and_a_second_one_opens(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        await stage.pilot.click(ModuleTable, offset=(4, 4))
        chosen = table(stage).chosen
        await stage.pilot.click(ModuleTable, offset=(4, 0))
        before = stage.text()
        await stage.pilot.click(ModuleTable, offset=(4, 4))
        await stage.pilot.pause()

        assert chosen is not None and "rpd" == chosen.name
        assert "MODULE" in before
        assert "executable  rpd" in stage.text()

    play(script, tmp_path)


def test_more_rows_than_lines_scroll_under_the_heading(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        many = [module(f"pfe{number}", 100 + number) for number in range(40)]
        await stage.give(snapshot(status=status(*many)))
        before = stage.text()
        await stage.press("end")
        after = stage.text()

        assert "pfe39" not in before
        assert "pfe39" in after and "pfe0 " not in after
        assert "MODULE" in after

    play(script, tmp_path)


def test_a_row_that_has_changed_is_drawn_anew(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        before = stage.text()
        failed = status(module("rpd", None, state="failed", last_cause="exit:9"), module("dcd", 14))
        await stage.give(snapshot(11.0, status=failed, uses=uses(rpd=None)))

        assert "● failed" not in before
        assert "● failed" in stage.text() and "exit:9" in stage.text()

    play(script, tmp_path)


def test_groups_are_drawn_as_a_tree(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot(groups=(Group(name="routing", members=("rpd", "dcd")),)))

        assert "▾ routing   2/2 up" in stage.text()
        assert "\n   rpd " in stage.text()

    play(script, tmp_path)


def test_other_columns_fit_after_a_change_of_width(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        narrow = stage.text()
        await stage.pilot.resize_terminal(150, 24)
        await stage.pilot.pause()
        await stage.pilot.pause()

        assert "POLICY" not in narrow
        assert "POLICY" in stage.text()

    play(script, tmp_path)


def test_a_line_of_the_log_has_the_time_first_and_a_colour_for_the_event() -> None:
    line = event_line(record("rpd", "hang", 5.25, cause="no heartbeat"))

    assert "10:00:05.250 rpd        hang      #1, no heartbeat" == line.plain
    assert EVENTS["hang"] in [str(span.style) for span in line.spans]


def test_the_log_follows_and_can_be_filtered(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        log = stage.app.board.query_one(EventLog)
        await stage.give(snapshot(), record("rpd", "exit", 1.0), record("dcd", "exit", 2.0))
        all_lines = len(log.lines)
        log.refilter("rpd", stage.app.model)
        await stage.give(record("rpd", "ready", 3.0), record("dcd", "ready", 4.0))
        filtered = [strip.text.split()[1] for strip in log.lines]
        log.refilter("", stage.app.model)

        assert 2 == all_lines
        assert ["rpd", "rpd"] == filtered
        assert 4 == len(log.lines)
        assert "events" == log.border_title

    play(script, tmp_path)


def test_an_event_that_comes_late_is_shown_in_its_place(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        log = stage.app.board.query_one(EventLog)
        await stage.give(snapshot(), record("rpd", "exit", 1.0), record("rpd", "ready", 3.0))
        await stage.give(record("rpd", "start", 2.0))

        assert ["exit", "start", "ready"] == [strip.text.split()[2] for strip in log.lines]

    play(script, tmp_path)

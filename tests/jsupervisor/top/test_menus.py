"""Questions, choices, help and the page of a module."""

from __future__ import annotations

from pathlib import Path

from textual.binding import Binding

from jsupervisor.cli.render.postmortem import Section
from jsupervisor.top.board import Board
from jsupervisor.top.fakes import Stage, play
from jsupervisor.top.menus import KEYS, Choose, Confirm, Details, Help


def test_a_question_is_answered_by_y_and_by_nothing_else(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        answers: list[bool | None] = []
        for key in ("y", "n", "escape", "q", "enter"):
            stage.app.push_screen(Confirm("Stop [rpd]?"), answers.append)
            await stage.pilot.pause()
            assert "Stop [rpd]?" in stage.text()
            await stage.press(key)

        assert [True, False, False, False, False] == answers

    play(script, tmp_path)


def test_a_choice_is_the_one_under_the_cursor_or_none(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        answers: list[str | None] = []
        choices = [("kill", "SIGKILL"), ("stop", "stands [still]")]
        for keys in (["down", "enter"], ["enter"], ["escape"], ["q"]):
            stage.app.push_screen(Choose("Fault for rpd", choices), answers.append)
            await stage.pilot.pause()
            assert "Fault for rpd" in stage.text() and "stands [still]" in stage.text()
            await stage.press(*keys)

        assert ["stop", "kill", None, None] == answers

    play(script, tmp_path)


def test_help_names_every_key_that_the_screen_has(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("question_mark")

        assert isinstance(stage.app.screen, Help)
        assert "restart gracefully" in stage.text()
        await stage.press("escape")
        assert isinstance(stage.app.screen, Board)

    play(script, tmp_path, size=(80, 40))
    names = {"slash": "/", "question_mark": "?", "escape": "esc"}
    bound = {names.get(each.key, each.key) for each in Board.BINDINGS if isinstance(each, Binding)}

    assert bound - {"?"} <= {key for key, _ in KEYS}


def test_a_page_goes_on_and_its_postmortem_does_not(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        facts = ["rpd: up"]
        page = Details(lambda: [Section("", facts)], [Section("Newest post-mortem", ["[SIGSEGV]"])])
        stage.app.push_screen(page)
        await stage.pilot.pause()
        facts[0] = "rpd: failed"
        page.show()
        await stage.pilot.pause()

        assert "rpd: failed" in stage.text()
        assert "Newest post-mortem" in stage.text() and "[SIGSEGV]" in stage.text()
        await stage.press("q")
        assert isinstance(stage.app.screen, Board)

    play(script, tmp_path)

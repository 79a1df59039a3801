"""The application: what the feed finds is drawn, and the end ends everything."""

from __future__ import annotations

from pathlib import Path

from jsupervisor.top.board import Board
from jsupervisor.top.fakes import Stage, play, record, snapshot


def test_what_is_found_goes_into_the_model_and_onto_the_screen(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot(), record("rpd", "ready", downtime_ms=12.5))

        assert ["rpd"] == [each.name for each in stage.app.model.events]
        for text in ("r1 · vmx", "2/2 up", "init", "jlaunchd", "launcher", "down 12.5 ms"):
            assert text in stage.text()

    play(script, tmp_path)


def test_a_storm_of_events_is_drawn(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        storm = [
            record("rpd", "start", number / 1000, incarnation=number) for number in range(3000)
        ]
        await stage.give(snapshot(), *storm)

        assert "#2999" in stage.text()

    play(script, tmp_path)


def test_a_small_screen_is_no_error(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot(), record("rpd", "ready"))

        assert "r1" in stage.text()

    play(script, tmp_path, size=(20, 5))


def test_what_comes_under_another_screen_is_there_afterwards(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        await stage.press("question_mark")
        await stage.give(snapshot(11.0), record("dcd", "hang"))
        await stage.press("escape")

        assert "hang" in stage.text()

    play(script, tmp_path)


def test_q_ends_it(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        assert isinstance(stage.app.screen, Board)
        await stage.press("q")

        assert not stage.app.is_running or stage.app._exit

    play(script, tmp_path)

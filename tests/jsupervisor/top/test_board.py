"""Keys of the main screen, and whom they reach."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jsupervisor.paths import Instance
from jsupervisor.runtime.cores import Core, core_path, write_core
from jsupervisor.top.board import Board, newest_postmortem
from jsupervisor.top.fakes import Stage, play, record, snapshot
from jsupervisor.top.menus import Choose, Confirm, Details
from jsupervisor.top.orders import OrderError, Orders
from jsupervisor.top.panels import EventLog, ModuleTable


class Ordered:
    """Notes what is ordered, in place of carrying it out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: str = "") -> None:
        self.orders: list[tuple[str, ...]] = []
        self.done = threading.Event()
        self._error = error
        for name in ("restart", "stop", "start", "inject", "set_policy"):
            monkeypatch.setattr(Orders, name, self._note(name))

    def _note(self, name: str) -> Callable[..., str]:
        def order(orders: Orders, *arguments: str) -> str:
            self.orders.append((name, *arguments))
            self.done.set()
            if self._error:
                raise OrderError(self._error)
            return f"{name} [done]"

        return order


async def on_rpd(stage: Stage) -> None:
    await stage.give(snapshot())
    stage.app.board.query_one(ModuleTable).put_cursor("rpd")


async def carried_out(stage: Stage, ordered: Ordered, number: int = 1) -> None:
    """Wait for the notices of so many orders."""
    assert ordered.done.wait(10)
    ordered.done.clear()
    while len(stage.said) < number:
        await stage.pilot.pause(0.005)


KEYS: Sequence[tuple[Sequence[str], tuple[str, ...]]] = (
    (["r", "y"], ("restart", "rpd", "gracefully")),
    (["i", "y"], ("restart", "rpd", "immediately")),
    (["s"], ("restart", "rpd", "soft")),
    (["S", "y"], ("stop", "rpd")),
    (["a"], ("start", "rpd")),
    (["K", "down", "enter", "y"], ("inject", "rpd", "segv")),
    (["K", "end", "enter", "y"], ("inject", "rpd", "exit:1")),
    (["p", "down", "enter"], ("set_policy", "rpd", "never-give-up")),
)


def test_a_key_becomes_an_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = Ordered(monkeypatch)

    async def script(stage: Stage) -> None:
        await on_rpd(stage)
        for number, (keys, order) in enumerate(KEYS):
            for key in keys:
                assert number == len(ordered.orders), order
                await stage.press(key)
            await carried_out(stage, ordered, number + 1)

        assert [order for _, order in KEYS] == ordered.orders
        assert [f"{order[0]} [done]" for _, order in KEYS] == stage.said

    play(script, tmp_path)


def test_a_key_that_is_thought_better_of_is_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = Ordered(monkeypatch)

    async def script(stage: Stage) -> None:
        await on_rpd(stage)
        for key, back in (("r", "n"), ("S", "escape"), ("K", "escape"), ("p", "escape")):
            await stage.press(key)
            assert isinstance(stage.app.screen, Confirm | Choose)
            await stage.press(back)
            assert isinstance(stage.app.screen, Board)

        assert [] == ordered.orders

    play(script, tmp_path)


def test_with_yes_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = Ordered(monkeypatch)

    async def script(stage: Stage) -> None:
        await on_rpd(stage)
        await stage.press("i")
        await carried_out(stage, ordered)

        assert [("restart", "rpd", "immediately")] == ordered.orders

    play(script, tmp_path, assume_yes=True)


def test_a_question_is_about_the_module_that_the_key_was_pressed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = Ordered(monkeypatch)

    async def script(stage: Stage) -> None:
        await on_rpd(stage)
        await stage.press("r")
        stage.app.board.query_one(ModuleTable).put_cursor("dcd")
        await stage.press("y")
        await carried_out(stage, ordered)

        assert [("restart", "rpd", "gracefully")] == ordered.orders

    play(script, tmp_path)


def test_what_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = Ordered(monkeypatch, "cannot start rpd: the supervisor is away")

    async def script(stage: Stage) -> None:
        await on_rpd(stage)
        await stage.press("a")
        await carried_out(stage, ordered)

        assert ["cannot start rpd: the supervisor is away"] == stage.said

    play(script, tmp_path)


def test_init_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ordered = Ordered(monkeypatch)

    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        for key in ("r", "i", "s", "S", "a", "p", "K"):
            await stage.press(key)
            assert isinstance(stage.app.screen, Board)

        assert 7 == len(stage.said)
        assert all(text.startswith("cannot ") for text in stage.said)
        assert [] == ordered.orders

    play(script, tmp_path)


def test_keys_do_nothing_before_anything_is_known(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        for key in ("r", "K", "p", "enter", "down", "space"):
            await stage.press(key)
            assert isinstance(stage.app.screen, Board)

    play(script, tmp_path)


def test_words_filter_the_events_until_escape(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        log = stage.app.board.query_one(EventLog)
        await stage.give(snapshot(), record("rpd", "exit", 1.0), record("dcd", "exit", 2.0))
        await stage.press("slash", *"rpd")
        typed = len(log.lines)
        await stage.press("enter")
        kept = log.filter, stage.app.focused
        await stage.press("escape")

        assert 1 == typed
        assert ("rpd", stage.app.board.query_one(ModuleTable)) == kept
        assert ("", 2) == (log.filter, len(log.lines))

    play(script, tmp_path)


def test_enter_opens_the_page_which_goes_on(tmp_path: Path) -> None:
    core(tmp_path)

    async def script(stage: Stage) -> None:
        await on_rpd(stage)
        await stage.press("enter")
        before = stage.text()
        await stage.give(snapshot(11.0), record("rpd", "hang", 10.5))

        assert isinstance(stage.app.screen, Details)
        assert "Newest post-mortem" in before and "  hang  " not in before
        assert "  hang  " in stage.text()

    play(script, tmp_path, size=(80, 60))


def test_a_supervisor_that_is_away_is_said_and_taken_back(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.give(snapshot())
        await stage.give(snapshot(11.0, counts=None))
        away = stage.text()
        await stage.give(snapshot(12.0))

        assert "supervisor is away, trying again" in away
        assert "away" not in stage.text()

    play(script, tmp_path)


def core(folder: Path, text: str | None = None) -> Instance:
    instance = Instance("r1", folder / "r1", folder / "run")
    instance.crash_dir.mkdir(parents=True)
    dead = Core(
        module="rpd", executable="rpd", incarnation=1, pid=13, cause="signal:SIGSEGV",
        ended="signal:SIGSEGV", monotonic_ns=1,
    )  # fmt: skip
    path = core_path(instance.crash_dir, "rpd", 0)
    write_core(dead, path)
    if text is not None:
        path.write_text(text)
    return instance


def test_the_newest_postmortem_is_a_page(tmp_path: Path) -> None:
    sections = newest_postmortem(core(tmp_path), "rpd")

    assert "Newest post-mortem" == sections[0].heading
    assert any("SIGSEGV" in line for line in sections[0].lines)
    assert [] == newest_postmortem(core(tmp_path / "other"), "dcd")


def test_a_postmortem_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    sections = newest_postmortem(core(tmp_path, "nonsense"), "rpd")

    assert ["Post-mortem"] == [section.heading for section in sections]
    assert sections[0].lines[0].startswith("cannot ")

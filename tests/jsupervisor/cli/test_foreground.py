"""Following a started instance: signals, last words, ends that are not orderly."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsupervisor.boot import BootError, boot
from jsupervisor.cli.errors import CliError
from jsupervisor.cli.foreground import (
    Foreground,
    InitEnded,
    Signals,
    ending_signals,
    force_end,
    last_words,
)
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.paths import instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.jsupervisor.cli.conftest import RequireGone

    from jsupervisor.boot import Booted


def plan(entry: str = "jsupervisor.runtime.daemon:Daemon") -> Plan:
    return parse_plan(f'[profile]\nname = "toy"\n[program.rpd]\nentry = "{entry}"\n', "toy.toml")


@pytest.fixture
def booted(home: Path, require_gone: RequireGone) -> Iterator[Booted]:
    """A toy instance; nothing of it is left."""
    toy = boot(plan(), name="toy")
    yield toy
    force_end(toy)
    require_gone(toy.instance)


def test_signals_are_counted_not_obeyed_and_obeyed_again_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ending_signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)

        assert [signals.fileno()] == select.select([signals.fileno()], [], [], 5)[0]
        assert 2 == signals.count
        signals.clear()
        signals.clear()
        assert [] == select.select([signals.fileno()], [], [], 0)[0]
    assert before == signal.getsignal(signal.SIGTERM)


def test_a_flood_of_signals_blocks_nobody() -> None:
    signals = Signals()
    try:
        for _ in range(70_000):
            signals.came(signal.SIGINT, None)

        assert 70_000 == signals.count
    finally:
        signals.close()


def test_last_words_are_the_last_line_that_says_something(home: Path) -> None:
    toy = instance("toy")
    toy.log_dir.mkdir(parents=True)
    (toy.log_dir / "rpd.stderr").write_text("Traceback\nKeyError: 1\n\n")

    assert "KeyError: 1" == last_words(toy, "rpd")
    assert "" == last_words(toy, "dcd")


def test_an_end_of_init_says_how() -> None:
    toy = instance("toy")

    assert "init ended with signal SIGKILL" in InitEnded(-9, toy).message
    assert "init ended with status 3" in InitEnded(3, toy).message


@pytest.mark.system
def test_it_narrates_from_boot_to_stop(booted: Booted) -> None:
    said: list[str] = []
    signals = Signals()
    foreground = Foreground(booted, signals, said.append)
    try:
        status = foreground.boot(None)

        assert status is not None
        assert status.all_up
        assert any("routing (PID" in line for line in said)
        signals.came(signal.SIGINT, None)
        foreground.watch()
        assert foreground.boot(None) is None
        assert 0 == foreground.stop(said.append)
        assert "init: stopping" in said
    finally:
        foreground.close()
        signals.close()


@pytest.mark.system
def test_a_second_signal_ends_it_by_force(booted: Booted) -> None:
    said: list[str] = []
    signals = Signals()
    foreground = Foreground(booted, signals, said.append)
    try:
        os.kill(booted.process.pid, signal.SIGSTOP)  # an init that would never stop by itself

        def say(line: str) -> None:
            said.append(line)
            if line == "init: stopping":
                # As the user does who has seen that nothing happens.
                signal.setitimer(signal.ITIMER_REAL, 0.05)

        before = signal.signal(signal.SIGALRM, signals.came)
        try:
            assert -9 == foreground.stop(say)
        finally:
            signal.signal(signal.SIGALRM, before)
        assert "init: killed" == said[-1]
    finally:
        foreground.close()
        signals.close()


@pytest.mark.system
def test_an_init_that_dies_while_we_watch_is_an_error(booted: Booted) -> None:
    signals = Signals()
    foreground = Foreground(booted, signals, lambda _: None)
    try:
        foreground.boot(None)
        booted.process.kill()
        with pytest.raises(InitEnded, match="SIGKILL"):
            foreground.watch()
    finally:
        foreground.close()
        signals.close()


@pytest.mark.system
def test_an_init_that_cannot_run_is_an_error(home: Path, require_gone: RequireGone) -> None:
    toy = boot(plan(), name="toy")
    toy.process.kill()
    signals = Signals()
    try:
        with pytest.raises(CliError, match="cannot start toy: init ended with signal SIGKILL"):
            Foreground(toy, signals, lambda _: None)
    finally:
        signals.close()
        force_end(toy)
    require_gone(toy.instance)


@pytest.mark.system
def test_a_boot_that_takes_too_long_names_what_is_missing(booted: Booted) -> None:
    signals = Signals()
    foreground = Foreground(booted, signals, lambda _: None)
    try:
        with pytest.raises(CliError, match=r"cannot bring up .*: it takes too long"):
            foreground.boot(0.0)
    finally:
        foreground.close()
        signals.close()


def test_the_name_is_taken_by_one_only(booted: Booted) -> None:
    with pytest.raises(BootError, match="cannot start 'toy': it is running already"):
        boot(plan(), name="toy")

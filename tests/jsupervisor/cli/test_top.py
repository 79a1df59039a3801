"""`jsupervisor top`: the table for scripts, and what the screen needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

import pytest

Cli = Callable[..., "Result"]
MakeInit = Callable[..., object]
MakeStatus = Callable[..., dict[str, object]]


class Result(Protocol):
    """See conftest."""

    code: int
    out: str
    err: str


@pytest.fixture
def without_textual(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were not installed."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "textual"]:
        monkeypatch.delitem(sys.modules, name)
    for name in [n for n in sys.modules if n.startswith("jsupervisor.top.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "textual", None)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the output were a terminal."""
    monkeypatch.setattr("jsupervisor.cli.top.on_terminal", lambda: True)


@pytest.mark.usefixtures("without_textual")
def test_one_table_needs_neither_textual_nor_jlaunchd(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", None, state="failed", restarts=3, last_cause="signal:SIGSEGV"))
    result = cli("top", "--once")
    lines = result.out.splitlines()

    assert (0, "") == (result.code, result.err)
    assert "default · vmx · modular" in lines[0]
    assert "supervisor is away, trying again" in lines
    assert ["rpd", "●", "failed", "-", "1", "3"] == lines[-1].split()[:6]
    assert "SIGSEGV" in lines[-1]


def test_an_instance_that_is_not_there_is_named(cli: Cli) -> None:
    result = cli("top", "--name", "none")

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot find instance none: ")


def test_what_does_not_run_is_said_before_the_screen_opens(
    cli: Cli, make_init: Callable[..., Dying]
) -> None:
    make_init().die()

    for arguments in (["--once"], []):
        result = cli("top", *arguments)
        assert 1 == result.code
        assert result.err.startswith(
            "jsupervisor: cannot reach instance default: it is not running"
        )


class Dying(Protocol):
    """An init that can be ended."""

    def die(self) -> None:
        """End it."""


def test_without_a_terminal_there_is_no_screen(cli: Cli, make_init: MakeInit) -> None:
    make_init()
    result = cli("top")

    assert 2 == result.code
    assert (
        "jsupervisor: cannot show the screen: this is no terminal; --once prints a table\n"
        == result.err
    )


@pytest.mark.usefixtures("without_textual", "terminal")
def test_without_the_extra_it_says_what_to_install(cli: Cli, make_init: MakeInit) -> None:
    make_init()
    result = cli("top")

    assert 1 == result.code
    assert "jsupervisor: cannot show the screen: pip install 'jsupervisor[tui]'\n" == result.err


def test_the_interval_has_bounds(cli: Cli, make_init: MakeInit) -> None:
    make_init()

    assert 2 == cli("top", "--interval", "0.01").code

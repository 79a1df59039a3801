"""The entry point: every command, its help, its errors, its shell completion."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import pytest

from jsupervisor.cli.main import COMMANDS, cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jsupervisor.cli.conftest import Cli


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths of a command and all that is under it."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from walk(below, (*path, name))


ALL = list(walk(cli, ()))
LEAVES = [path for path in ALL if not any(other[: len(path)] == path != other for other in ALL)]


def test_all_commands_are_there() -> None:
    assert set(COMMANDS) >= {
        *("start", "stop", "status", "restart", "logs", "events", "fault", "config"),
        *("profile", "show", "demo", "doctor", "clean", "completion"),
    }


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_has_an_example(cli: Cli, path: tuple[str, ...]) -> None:
    result = cli(*path, "--help")

    assert 0 == result.code
    assert "Example" in result.out
    assert f"jsupervisor {' '.join(path)}".strip() in result.out.rpartition("Example")[2]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_takes_a_name(path: tuple[str, ...]) -> None:
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found

    assert "--name" in [option for parameter in command.params for option in parameter.opts]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_wrong_option_is_one_clear_line(cli: Cli, path: tuple[str, ...]) -> None:
    result = cli(*path, "--nonsense")

    assert (2, "", 1) == (result.code, result.out, len(result.err.splitlines()))
    assert result.err.startswith("jsupervisor: cannot run 'jsupervisor")
    assert f"(see: {' '.join(('jsupervisor', *path))} --help)" in result.err


@pytest.mark.parametrize("arguments", [(), ("show",), ("config",)])
def test_a_command_line_that_ends_too_soon_gets_the_help(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    result = cli(*arguments)

    assert 2 == result.code
    assert "Commands:" in result.out


def test_the_version_is_printed(cli: Cli) -> None:
    assert "jsupervisor, version 0." in cli("--version").out


def jsupervisor(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "jsupervisor.cli.main", *arguments]
    return subprocess.run(argv, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_goes_away_is_no_traceback(home: Path) -> None:
    argv = f"{sys.executable} -m jsupervisor.cli.main profile show vmx | true"
    done = subprocess.run(["sh", "-c", argv], capture_output=True, text=True, check=True)

    assert ("", "") == (done.stdout, done.stderr)


def test_a_full_disk_is_one_clear_line(home: Path) -> None:
    with open("/dev/full", "w") as full:
        done = jsupervisor("profile", "list", stdout=full, stderr=subprocess.PIPE)

    assert (1, "jsupervisor: cannot go on: No space left on device\n") == (
        done.returncode,
        done.stderr,
    )


def test_a_home_that_cannot_be_made_is_one_clear_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JSUPERVISOR_HOME", "/proc/nowhere")
    result = cli("start")

    assert (1, 1) == (result.code, len(result.err.splitlines()))
    assert result.err.startswith("jsupervisor: cannot make /proc/nowhere")


def test_the_shell_completes_commands_and_profiles(home: Path) -> None:
    def completed(words: str) -> list[str]:
        environment = {
            "_JSUPERVISOR_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        argv = [sys.executable, "-m", "jsupervisor.cli.main"]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert ["start", "stop", "status"] == completed("jsupervisor st")
    assert ["vmx"] == completed("jsupervisor start --profile vm")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "system", "alarms", "--name", "r9"),
        ("show", "system", "--name", "r9", "alarms"),
        ("show", "--name", "r9", "system", "alarms"),
        ("--name", "r9", "show", "--json", "system", "alarms"),
        ("--name", "r9", "show", "--name", "r8", "system", "alarms", "--name", "r9"),
        ("--name", "r9", "status"),
        ("fault", "--name", "r9", "inject", "kill", "rpd"),
    ],
)
def test_a_name_may_stand_at_any_level(cli: Cli, arguments: tuple[str, ...]) -> None:
    result = cli(*arguments)

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot reach instance r9: it is not running")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_groups_take_a_name_as_well(cli: Cli, path: tuple[str, ...]) -> None:
    assert "no such option" not in cli(*path, "--name", "../x").err

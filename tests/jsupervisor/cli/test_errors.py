"""One line and an exit code, whatever happens."""

from __future__ import annotations

import click
import pytest

from jsupervisor.cli.errors import (
    FAILED,
    WRONG,
    CliError,
    guarded,
    one_line,
    refused,
    usage_line,
)


def raising(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CliError("cannot do it"), FAILED, "cannot do it"),
        (CliError("cannot read\n  that", WRONG), WRONG, "cannot read that"),
        (KeyboardInterrupt(), FAILED, "cannot finish: interrupted"),
        (click.Abort(), FAILED, "cannot finish: interrupted"),
        (click.UsageError("No such thing."), WRONG, "cannot run 'jsupervisor': no such thing"),
        (click.FileError("x", "gone"), FAILED, "cannot go on: Could not open file"),
        (OSError(28, "No space left on device"), FAILED, "cannot go on: No space left on device"),
        (PermissionError(13, "Permission denied", "/x"), FAILED, "cannot go on: /x: Permission"),
        (KeyError("x"), FAILED, "cannot go on: a defect, KeyError: 'x' at test_errors.py:"),
    ],
)
def test_every_failure_is_one_line_that_begins_with_cannot(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code == guarded(lambda: raising(error))
    said = capsys.readouterr()
    assert ("", 1) == (said.out, len(said.err.splitlines()))
    assert said.err.startswith(f"jsupervisor: {line}")


def test_success_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == guarded(lambda: 0)
    assert ("", "") == tuple(capsys.readouterr())


def test_help_and_version_end_with_their_own_code() -> None:
    assert 0 == guarded(lambda: raising(click.exceptions.Exit(0)))


def test_the_traceback_of_a_defect_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSUPERVISOR_DEBUG", "1")
    with pytest.raises(KeyError):
        guarded(lambda: raising(KeyError("x")))


def test_foreign_errors_become_the_commands_own() -> None:
    with pytest.raises(CliError, match="cannot x") as raised, refused(WRONG, ValueError):
        raise ValueError("cannot x")

    assert WRONG == raised.value.code


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), refused(WRONG, ValueError):
        raise KeyError


def test_a_complaint_that_is_a_line_already_stays_as_it_is() -> None:
    assert "cannot x" == usage_line(click.UsageError("cannot x"))


def test_a_line_has_no_line_ends() -> None:
    assert "a b" == one_line(" a\n\t b\n")

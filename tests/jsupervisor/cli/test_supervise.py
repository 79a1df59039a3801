"""`jsupervisor supervise`: what is refused before anything starts. The rest is in tests/system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli

GOOD = '[program.one]\ncommand = ["sleep", "9"]\n'


def test_a_good_file_is_said_to_be_good_and_nothing_starts(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(GOOD, encoding="utf-8")
    result = cli("supervise", str(file), "--check")

    assert (0, f"{file}: good, 1 program\n") == (result.code, result.out)


def test_a_bad_file_is_one_clear_line(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(GOOD + "colour = 1\n", encoding="utf-8")
    result = cli("supervise", str(file))

    assert 2 == result.code
    assert f"jsupervisor: cannot use file {file}: program.one.colour: unknown key" in result.err


def test_an_unknown_policy_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(GOOD, encoding="utf-8")
    result = cli("supervise", str(file), "--policy", "x")

    assert (2, "") == (result.code, result.out)
    assert "cannot use policy 'x': there are junos, " in result.err

"""`jsupervisor config`: whole or not at all, and every problem with its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.config import check_file, read_text, refuse, user_name
from jsupervisor.cli.errors import CliError

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus, ServeModule


def test_a_good_file_is_accepted(cli: Cli, tmp_path: Path) -> None:
    good = tmp_path / "good.conf"
    good.write_text("system { host-name r1; }\n")
    result = cli("config", "check", str(good))

    assert (0, f"{good}: configuration check succeeds\n") == (result.code, result.out)


def test_every_problem_is_printed_and_one_line_says_that_it_failed(
    cli: Cli, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.conf"
    bad.write_text("nonsense 1;\nmore 2;\n")
    result = cli("config", "check", str(bad))

    assert 2 == result.code
    assert 2 == len(result.out.splitlines())
    assert result.out.startswith(f"{bad}:1:1: ")
    assert f"jsupervisor: cannot accept {bad}: 2 problems\n" == result.err


def test_a_file_that_is_not_there_is_wrong_input(cli: Cli, tmp_path: Path) -> None:
    result = cli("config", "check", str(tmp_path / "none"))

    assert 2 == result.code
    assert f"jsupervisor: cannot read {tmp_path}/none: No such file or directory\n" == result.err


def test_a_checker_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(CliError, match=r"cannot check x\.conf: "):
        check_file("x.conf")


def test_the_last_words_of_a_broken_checker_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: no mgd\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(CliError, match=r"cannot check x\.conf: ImportError: no mgd") as raised:
        check_file("x.conf")

    assert 1 == raised.value.code


def test_a_text_is_loaded_and_shown(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule, tmp_path: Path
) -> None:
    init = make_init(module("mgd", 1))
    file = tmp_path / "r1.conf"
    file.write_text("system { host-name r1; }")
    answers = {"configuration": {"configuration": {"revision": "7"}}}
    with serve_module(init.instance, "mgd", answers) as mgd:
        loaded = cli("config", "load", str(file))
        shown, data = cli("config", "show"), cli("config", "show", "--json")

    assert (0, "commit complete, revision 7\n") == (loaded.code, loaded.out)
    assert "system { host-name r1; }" == mgd.text
    assert "system { host-name r1; }\n" == shown.out
    assert {"configuration": {"revision": "7"}} == data.json


def test_a_bad_text_is_refused_with_its_first_problem(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule, tmp_path: Path
) -> None:
    init = make_init(module("mgd", 1))
    file = tmp_path / "r1.conf"
    file.write_text("bad")
    with serve_module(init.instance, "mgd"):
        result = cli("config", "load", str(file))

    assert 2 == result.code
    assert result.err == (
        f"jsupervisor: cannot load {file}:1:2: bad (and 1 more: jsupervisor config check {file})\n"
    )


def test_a_dead_mgd_loads_nothing(
    cli: Cli, make_init: MakeInit, module: MakeStatus, tmp_path: Path
) -> None:
    make_init(module("mgd", None))
    file = tmp_path / "r1.conf"
    file.write_text("")
    result = cli("config", "load", str(file))

    assert 1 == result.code
    assert "error: the management subsystem is not running" in result.err


def test_a_single_problem_has_no_others() -> None:
    assert "cannot load x:1:1: bad" == refuse("x", ["x:1:1: bad"]).message


def test_what_is_no_text_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff")
    with pytest.raises(CliError, match="it is not UTF-8 text"):
        read_text(str(tmp_path / "x"))


def test_somebody_is_at_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "admin")

    assert "admin" == user_name()

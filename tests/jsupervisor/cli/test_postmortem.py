"""`jsupervisor postmortem`: the newest, a certain one, all of them, and none."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.postmortem import show
from jsupervisor.cli.render.postmortem import Section
from jsupervisor.paths import Instance, instance
from jsupervisor.runtime.cores import Core, core_path, write_core

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli

PLAN = '{"programs": [{"name": "rpd", "executable": "rpd"}, {"name": "dcd", "executable": "dcd"}]}'


@pytest.fixture
def chosen(home: Path) -> Instance:
    """An instance that was started once, with three cores of rpd and one of jlaunchd."""
    found = instance("default")
    found.crash_dir.mkdir(parents=True)
    (found.home / "plan.json").write_text(PLAN)
    for age, (name, number) in enumerate([("rpd", 1), ("rpd", 2), ("jlaunchd", 0), ("rpd", 0)]):
        core = Core(
            module=name, executable=name, incarnation=age + 1, pid=1000 + age, cause="exit:1",
            ended="exit:1", monotonic_ns=age, stderr=(f"words of number {number}",),
        )  # fmt: skip
        path = core_path(found.crash_dir, name, number)
        write_core(core, path)
        os.utime(path, (age + 1, age + 1))
    return found


def test_the_newest_is_shown(cli: Cli, chosen: Instance) -> None:
    result = cli("postmortem", "rpd")

    assert (0, "") == (result.code, result.err)
    assert result.out.startswith("routing (rpd) incarnation 4, PID 1003\n")
    assert "words of number 0" in result.out
    assert f"{chosen.crash_dir}/rpd.core.0" in result.out


@pytest.mark.parametrize("word", ["rpd", "routing"])
def test_a_certain_one_is_shown(cli: Cli, chosen: Instance, word: str) -> None:
    assert "words of number 2" in cli("postmortem", word, "--number", "2").out


def test_as_data_it_is_what_the_file_has_and_where(cli: Cli, chosen: Instance) -> None:
    data = cli("postmortem", "rpd", "--json").json

    assert isinstance(data, dict)
    assert (0, f"{chosen.crash_dir}/rpd.core.0", 4) == (
        data["number"], data["file"], data["incarnation"]
    )  # fmt: skip


def test_without_a_module_all_are_listed_with_the_newest_first(cli: Cli, chosen: Instance) -> None:
    lines = cli("postmortem").out.splitlines()

    assert [["rpd", "0"], ["jlaunchd", "0"], ["rpd", "2"], ["rpd", "1"]] == [
        line.split()[:2] for line in lines[1:]
    ]


def test_the_list_is_data_too(cli: Cli, chosen: Instance) -> None:
    data = cli("postmortem", "--json").json

    assert isinstance(data, list)
    assert 4 == len(data)


def test_a_file_that_cannot_be_read_keeps_no_other_from_the_list(
    cli: Cli, chosen: Instance
) -> None:
    core_path(chosen.crash_dir, "dcd", 0).write_text("?")
    result = cli("postmortem")

    assert 5 == len(result.out.splitlines())
    assert result.err.startswith(f"cannot read {chosen.crash_dir}/dcd.core.0: ")
    assert 1 == cli("postmortem", "dcd").code


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("dcd",), 1, "cannot show a post-mortem of dcd: it has left no core file in "),
        (("rpd", "--number", "7"), 1, "cannot show core 7 of rpd: there are 0, 1, 2"),
        (("bgpd",), 2, "cannot show the post-mortem of 'bgpd': there is no such module; "),
        (("--number", "1"), 2, "cannot show a core by its number alone: say of which module"),
    ],
)
def test_what_is_not_there_is_said(
    cli: Cli, chosen: Instance, arguments: tuple[str, ...], code: int, error: str
) -> None:
    result = cli("postmortem", *arguments)

    assert code == result.code
    assert error in result.err
    assert "" == result.out


def test_an_instance_without_a_core_has_an_empty_list(cli: Cli, chosen: Instance) -> None:
    for path in chosen.crash_dir.iterdir():
        path.unlink()

    assert f"no core files in {chosen.crash_dir}\n" == cli("postmortem").out


def test_an_instance_that_never_was_is_said(cli: Cli, home: Path) -> None:
    assert "cannot find instance" in cli("postmortem", "rpd").err


def test_a_terminal_gets_rules(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show([Section("", ["head"]), Section("Stacks", ["[bold]as it is"])])
    out = capsys.readouterr().out

    assert "─" in out
    assert "[bold]as it is" in out

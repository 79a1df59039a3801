"""`jsupervisor fault`: exit codes and lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from jsupervisor.cli.fault import fault
from jsupervisor.testing import Router


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JSUPERVISOR_HOME", str(tmp_path))
    return tmp_path


def test_an_unknown_kind_is_wrong_usage(home: Path) -> None:
    result = CliRunner().invoke(fault, ["inject", "explode", "rpd"])

    assert 2 == result.exit_code
    assert result.stderr.startswith("jsupervisor: cannot inject 'explode': the kinds are kill")


def test_a_bad_instance_name_is_wrong_usage(home: Path) -> None:
    result = CliRunner().invoke(fault, ["inject", "kill", "rpd", "--name", "../x"])

    assert 2 == result.exit_code
    assert result.stderr.startswith("jsupervisor: cannot use '../x' as an instance name")


def test_an_instance_that_does_not_run_is_one_clear_line(home: Path) -> None:
    result = CliRunner().invoke(fault, ["inject", "kill", "rpd"])

    assert 1 == result.exit_code
    assert 1 == len(result.stderr.splitlines())
    assert result.stderr.startswith("jsupervisor: cannot reach instance default: it is not running")


def test_every_kind_is_listed() -> None:
    result = CliRunner().invoke(fault, ["list"])

    assert 0 == result.exit_code
    assert [
        *("kill", "segv", "abort", "exception", "stop", "spin", "spin-c"),
        *("deadlock", "block-pool", "exit:N"),
    ] == [line.split()[0] for line in result.stdout.splitlines()]


@pytest.mark.system
def test_a_fault_is_reported_for_people_and_for_programs(home: Path) -> None:
    profile = home / "toy.toml"
    profile.write_text(
        '[profile]\nname = "toy"\n[program.rpd]\nentry = "jsupervisor.runtime.daemon:Daemon"\n'
    )
    with Router.boot(profile=str(profile), name="default", home=home):
        text = CliRunner().invoke(fault, ["inject", "kill", "rpd"])
        data = CliRunner().invoke(fault, ["inject", "exit:3", "rpd", "--json"])
        unknown = CliRunner().invoke(fault, ["inject", "kill", "bgpd"])

    assert 0 == text.exit_code
    assert "is gone, signal:SIGKILL" in text.stdout
    assert "ready after" in text.stdout
    report = json.loads(data.stdout)
    assert (True, "exit:3", "rpd", "") == tuple(
        report[key] for key in ("effective", "fault", "module", "why")
    )
    assert 1 == unknown.exit_code
    assert unknown.stderr.startswith("jsupervisor: cannot inject kill into bgpd: there is no such")

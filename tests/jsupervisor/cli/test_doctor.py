"""`jsupervisor doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli import doctor as doctor_module
from jsupervisor.cli.doctor import report
from jsupervisor.cli.probes import Check
from jsupervisor.paths import Instance

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli

GOOD = Check(name="kernel", ok=True, value="6.1", disables="everything", essential=True)
MINOR = Check(name="root", ok=False, value="no", disables="tap: ports")
MAJOR = Check(name="/proc", ok=False, value="not there", disables="everything", essential=True)


def test_each_lack_says_what_it_disables() -> None:
    assert [
        "ok    kernel  6.1",
        "lack  root    no",
        "              disables tap: ports",
    ] == report([GOOD, MINOR])


def use(checks: list[Check], monkeypatch: pytest.MonkeyPatch) -> None:
    def found(chosen: Instance) -> list[Check]:
        return checks

    monkeypatch.setattr(doctor_module, "all_checks", found)
    monkeypatch.setattr(doctor_module, "containment_checks", list)


def test_a_minor_lack_is_no_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    use([GOOD, MINOR], monkeypatch)
    result = cli("doctor", "--json")

    assert 0 == result.code
    assert {"ok": True, "checks": [GOOD.to_json(), MINOR.to_json()]} == result.json
    assert "tap: ports" == MINOR.to_json()["disables"]


def test_a_major_lack_is_a_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    use([GOOD, MAJOR], monkeypatch)
    result = cli("doctor")

    assert (1, "jsupervisor: cannot run a router here: /proc\n") == (result.code, result.err)
    assert "lack  /proc" in result.out


def test_here_it_works(cli: Cli) -> None:
    assert 0 == cli("doctor").code


def test_on_anything_but_linux_there_is_one_clear_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    result = cli("doctor", "--json")

    assert (1, "", "jsupervisor: cannot run on darwin: jsupervisor needs Linux\n") == (
        *(result.code, result.out),
        result.err,
    )

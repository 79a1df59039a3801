"""`jsupervisor history`, from a journal alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from jsupervisor.initproto import Json

Cli = Callable[..., "Result"]
MakeRecord = Callable[..., dict[str, Json]]


class Result(Protocol):
    """See conftest."""

    code: int
    out: str
    err: str
    json: Json


@pytest.fixture
def journal(home: Path, record: MakeRecord) -> None:
    """Two ends of rpd and one of jlaunchd."""
    folder = home / "default"
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(
        json.dumps({"programs": [{"name": "rpd", "executable": "rpd"}], "parts": []})
    )
    records = [
        record("rpd", "exit", 1, cause="signal:SIGKILL", attempt=1, next="restart in 0 ms"),
        record("rpd", "ready", 2, incarnation=2, downtime_ms=59.5),
        record("jlaunchd", "exit", 3, cause="signal:SIGTERM"),
        record("rpd", "exit", 4, incarnation=2, cause="hang", attempt=2, next="hold"),
    ]
    (folder / "journal.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))


@pytest.mark.usefixtures("journal")
def test_everything_that_ended_is_a_line(cli: Cli) -> None:
    lines = cli("history").out.splitlines()

    assert ["MODULE", "rpd", "jlaunchd", "rpd"] == [
        line.split()[1 if number == 0 else 2] for number, line in enumerate(lines)
    ]
    assert "59.5 ms" in lines[1] and "hold" in lines[3]


@pytest.mark.usefixtures("journal")
def test_one_module_is_found_by_any_of_its_names(cli: Cli) -> None:
    for name in ("rpd", "routing"):
        assert 3 == len(cli("history", name).out.splitlines())
    assert "SIGTERM" in cli("history", "jlaunchd").out


@pytest.mark.usefixtures("journal")
def test_the_last_are_enough(cli: Cli) -> None:
    assert [["hang", None]] == [
        [each["cause"], each["downtime_ms"]] for each in rows(cli("history", "-n", "1", "--json"))
    ]
    assert "nothing has ended in instance default\n" == cli("history", "-n", "0").out


def rows(result: Result) -> list[dict[str, Json]]:
    assert isinstance(result.json, list)
    return [each for each in result.json if isinstance(each, dict)]


@pytest.mark.usefixtures("journal")
def test_an_unknown_module_is_refused(cli: Cli) -> None:
    result = cli("history", "bgpd")

    assert 2 == result.code
    assert result.err.startswith("jsupervisor: cannot show the history of 'bgpd': there is no such")


def test_an_instance_that_never_was_is_named(cli: Cli) -> None:
    assert cli("history").err.startswith("jsupervisor: cannot find instance default: ")

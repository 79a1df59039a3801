"""`jsupervisor events`: the journal, then what init pushes, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli import events as events_module
from jsupervisor.observer.events import EventRecord
from jsupervisor.paths import Instance, instance

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeRecord

KEYS = [
    *("name", "event", "incarnation", "cause", "monotonic_ns"),
    *("time", "downtime_ms", "attempt", "next"),
]


def write_journal(chosen: Instance, *records: Mapping[str, object]) -> None:
    chosen.home.mkdir(parents=True, exist_ok=True)
    chosen.journal.write_text("".join(json.dumps(each) + "\n" for each in records))


def test_the_history_is_printed_one_record_a_line(cli: Cli, record: MakeRecord) -> None:
    write_journal(instance("default"), record("rpd", "start", 1), record("rpd", "ready", 2))
    result = cli("events", "--json")

    assert 0 == result.code
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [KEYS, KEYS] == [list(line) for line in lines]
    assert ["start", "ready"] == [line["event"] for line in lines]


@pytest.mark.parametrize(
    ("count", "events"), [("0", []), ("1", ["ready"]), ("9", ["start", "ready"])]
)
def test_only_the_last_are_printed_when_asked(
    cli: Cli, record: MakeRecord, count: str, events: list[str]
) -> None:
    write_journal(instance("default"), record("rpd", "start", 1), record("rpd", "ready", 2))
    result = cli("events", "-n", count)

    assert events == [line.split()[2] for line in result.out.splitlines()]


def test_an_instance_that_never_was_is_one_clear_line(cli: Cli) -> None:
    result = cli("events", "--name", "nobody")

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot find instance nobody: there is none; start")


def test_following_goes_on_with_what_init_pushes_and_ends_with_it(
    cli: Cli, make_init: MakeInit, record: MakeRecord
) -> None:
    init = make_init()
    write_journal(init.instance, record("rpd", "start", 1), record("rpd", "ready", 2))
    init.pushed = [record("rpd", "ready", 2), record("rpd", "exit", 3, cause="exit:17")]
    result = cli("events", "-f", "--json")

    assert 0 == result.code
    assert ["start", "ready", "exit"] == [
        json.loads(line)["event"] for line in result.out.splitlines()
    ]


def test_following_needs_a_running_instance(cli: Cli) -> None:
    write_journal(instance("default"))
    result = cli("events", "-f")

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot reach instance default: it is not running")


def interrupted(chosen: Instance, count: int | None) -> list[EventRecord]:
    raise KeyboardInterrupt


def test_ctrl_c_is_the_good_end_of_following(
    cli: Cli, make_init: MakeInit, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_init()
    monkeypatch.setattr(events_module, "past", interrupted)
    result = cli("events", "-f")

    assert (0, "", "") == (result.code, result.out, result.err)

"""The boot log: every line an event, none twice."""

from __future__ import annotations

import json

import pytest

from jsupervisor.cli.narration import Narrator, notable
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.status import InstanceStatus, ModuleStatus


def process(name: str, pid: int | None, state: str = "", incarnation: int = 1) -> ModuleStatus:
    return ModuleStatus(name, name, pid, incarnation, state, None, 0, "")


def status(*modules: ModuleStatus, jlaunchd: int | None = 12) -> InstanceStatus:
    launcher = process("launcher", 11)
    return InstanceStatus(
        "d", "vmx", "modular", 10, process("jlaunchd", jlaunchd), launcher, modules
    )


def event(name: str, what: str, ns: int = 0, **changes: object) -> EventRecord:
    values: dict[str, object] = {
        "name": name,
        "event": what,
        "incarnation": 1,
        "cause": "",
        "monotonic_ns": ns,
        "time": "",
        "downtime_ms": None,
        "attempt": 0,
        "next": "",
    }
    return EventRecord(**{**values, **changes})  # type: ignore[arg-type]


def test_what_happened_before_we_watched_is_told_first() -> None:
    narrator = Narrator()

    assert [
        "init: started (PID 10)",
        "init: launcher (PID 11) started",
        "init: launch-control (PID 12) started",
        "init: routing (PID 13) started",
        "init: routing (PID 13) is ready",
    ] == narrator.catch_up(status(process("rpd", 13, "up"), process("dcd", None, "down")))


def test_what_was_told_is_not_told_again() -> None:
    narrator = Narrator()
    narrator.catch_up(status(process("rpd", 13, "up")))

    assert [] == narrator.tell(event("launcher", "start"))
    assert [] == narrator.tell(event("rpd", "ready"))


def test_a_module_comes_up_with_its_pid_and_the_time_it_took() -> None:
    narrator = Narrator()
    narrator.learn(status(process("rpd", 13)))

    assert ["init: routing (PID 13) started"] == narrator.tell(event("rpd", "start", 1_000_000))
    assert [] == narrator.tell(event("rpd", "serving", 2_000_000))
    assert ["init: routing (PID 13) is ready, 23 ms after its start"] == narrator.tell(
        event("rpd", "ready", 24_400_000)
    )


def test_the_configuration_is_there_when_mgd_is_ready() -> None:
    assert "Creating initial configuration...mgd: ready" in Narrator().tell(event("mgd", "ready"))
    assert 1 == len(Narrator().tell(event("mgd", "ready", incarnation=2)))


def test_a_successor_is_told_with_its_own_pid() -> None:
    narrator = Narrator()
    narrator.learn(status(process("rpd", 13)))

    assert ["init: routing (PID 13) terminated by signal number 9 (SIGKILL)"] == narrator.tell(
        event("rpd", "exit", cause="signal:SIGKILL")
    )
    assert ["init: routing is thrashing, not restarted"] == narrator.tell(event("rpd", "thrash"))
    narrator.learn(status(process("rpd", 14)))
    assert ["init: routing (PID 14) is ready again after 5.0 ms"] == narrator.tell(
        event("rpd", "ready", incarnation=2, downtime_ms=5.0)
    )


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (
            {"module": "chassisd", "severity": "notice", "text": "FPC 0 Online"},
            "chassisd: FPC 0 Online",
        ),
        ({"module": "rpd", "severity": "error", "text": "t"}, "rpd: t"),
        ({"module": "rpd", "severity": "info", "text": "t"}, ""),
        ({"module": "jlaunchd", "severity": "error", "text": "t"}, ""),
        ([], ""),
    ],
)
def test_only_notable_log_lines_of_others_are_added(record: object, line: str) -> None:
    assert line == notable(json.dumps(record))


def test_a_line_that_is_no_record_adds_nothing() -> None:
    assert "" == notable("{")

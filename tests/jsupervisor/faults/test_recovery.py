"""What event records tell about a victim's end and its successor's start."""

from __future__ import annotations

from jsupervisor.faults.recovery import Recovery, read
from jsupervisor.observer.events import EventRecord


def record(
    event: str, incarnation: int, at: int, *, name: str = "rpd", cause: str = ""
) -> EventRecord:
    return EventRecord(name, event, incarnation, cause, at, "", None, 0, "")


def test_an_exit_is_detected_and_the_successor_timed() -> None:
    assert Recovery(
        detected_ns=10,
        detected_by="exit",
        exit_cause="signal:SIGKILL",
        exited_ns=10,
        serving_ns=20,
        ready_ns=30,
        incarnation=4,
    ) == read(
        [
            record("fault", 3, 5),
            record("exit", 3, 10, cause="signal:SIGKILL"),
            record("start", 4, 12),
            record("serving", 4, 20),
            record("ready", 4, 30),
        ],
        "rpd",
        3,
    )


def test_a_hang_is_detected_before_the_exit_that_it_leads_to() -> None:
    recovery = read([record("hang", 3, 10), record("exit", 3, 15, cause="hang")], "rpd", 3)

    assert (10, "hang", 15, "hang") == (
        recovery.detected_ns,
        recovery.detected_by,
        recovery.exited_ns,
        recovery.exit_cause,
    )
    assert not recovery.over


def test_other_modules_and_earlier_incarnations_are_nobodys_recovery() -> None:
    assert Recovery() == read(
        [record("exit", 3, 10, name="dcd"), record("exit", 2, 10), record("ready", 3, 11)], "rpd", 3
    )


def test_a_module_that_is_held_has_no_successor() -> None:
    recovery = read([record("exit", 3, 10), record("thrash", 3, 11, cause="x")], "rpd", 3)

    assert recovery.over
    assert "thrash: x" == recovery.held


def test_the_first_successor_that_is_ready_counts() -> None:
    recovery = read([record("ready", 5, 10), record("ready", 6, 20)], "rpd", 3)

    assert (10, 5) == (recovery.ready_ns, recovery.incarnation)

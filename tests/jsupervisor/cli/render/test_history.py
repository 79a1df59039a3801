"""Events as a list of ends."""

from __future__ import annotations

from jsupervisor.cli.render.history import End, ends, table
from jsupervisor.observer.events import EventRecord


def record(name: str, event: str, at: int, incarnation: int = 1, **changes: object) -> EventRecord:
    """An event `at` ms."""
    fields: dict[str, object] = {
        "cause": "", "downtime_ms": None, "attempt": 0, "next": "", **changes
    }  # fmt: skip
    return EventRecord(
        name=name,
        event=event,
        incarnation=incarnation,
        monotonic_ns=at * 1_000_000,
        time=f"2026-11-23T10:00:00.{at:03}456Z",
        **fields,  # type: ignore[arg-type]
    )


CRASH = record("rpd", "exit", 100, cause="signal:SIGSEGV", attempt=2, next="restart in 50 ms")


def test_an_end_has_the_downtime_that_its_successor_tells() -> None:
    records = [
        CRASH,
        record("dcd", "ready", 110),
        record("rpd", "start", 150, 2),
        record("rpd", "ready", 160, 2, downtime_ms=59.5),
        record("rpd", "ready", 170, 2, downtime_ms=1.0),
    ]

    assert [
        End(
            time="2026-11-23T10:00:00.100456Z", name="rpd", incarnation=1, cause="signal:SIGSEGV",
            attempt=2, next="restart in 50 ms", downtime_ms=59.5,
        )
    ] == ends(records)  # fmt: skip


def test_downtime_of_jlaunchd_is_taken_from_its_events() -> None:
    records = [record("jlaunchd", "exit", 100), record("jlaunchd", "ready", 350, 2)]

    assert [250.0] == [end.downtime_ms for end in ends(records)]


def test_what_never_came_back_has_no_downtime() -> None:
    records = [CRASH, record("rpd", "exit", 200, 2), record("rpd", "ready", 300, 3)]

    assert [None, 100.0] == [end.downtime_ms for end in ends(records)]


def test_a_new_boot_is_no_recovery() -> None:
    records = [CRASH, record("rpd", "start", 200), record("rpd", "ready", 300)]

    assert [None] == [end.downtime_ms for end in ends(records)]


def test_the_table_has_a_heading_and_no_holes() -> None:
    found = ends(
        [CRASH, record("rpd", "ready", 160, 2, downtime_ms=59.5), record("a", "exit", 500)]
    )

    assert [
        "TIME                     MODULE  INC  CAUSE              DOWN  ATTEMPT  NEXT",
        "2026-11-23 10:00:00.100  rpd       1  signal:SIGSEGV  59.5 ms        2  restart in 50 ms",
        "2026-11-23 10:00:00.500  a         1  -                     -        -  -",
    ] == table(found)


def test_data_has_every_field() -> None:
    assert {
        "time": "2026-11-23T10:00:00.100456Z", "name": "rpd", "incarnation": 1,
        "cause": "signal:SIGSEGV", "downtime_ms": None, "attempt": 2, "next": "restart in 50 ms",
    } == ends([CRASH])[0].to_json()  # fmt: skip

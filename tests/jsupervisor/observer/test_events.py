"""Event records: read as they are pushed, kept in order."""

from __future__ import annotations

from jsupervisor.initproto import Json
from jsupervisor.observer.events import History, parse

PUSHED: dict[str, Json] = {
    "name": "rpd",
    "event": "ready",
    "incarnation": 2,
    "cause": "",
    "monotonic_ns": 17,
    "time": "2025-11-23T09:00:00.000000Z",
    "downtime_ms": 21.5,
    "attempt": 1,
    "next": "",
}


def test_a_record_is_printed_as_it_was_pushed() -> None:
    assert PUSHED == parse(PUSHED).to_json()


def test_what_is_missing_or_odd_is_empty() -> None:
    record = parse({"name": 7, "incarnation": "x"})

    assert ("", "", 0, None) == (record.name, record.event, record.incarnation, record.downtime_ms)


def test_a_mark_hides_what_came_before() -> None:
    history = History()
    history.append(parse(PUSHED))
    mark = len(history)
    history.append(parse({**PUSHED, "incarnation": 3}))
    found = history.first(mark, "rpd", "serving", "ready")

    assert found is not None
    assert 3 == found.incarnation
    assert None is history.first(mark, "dcd", "ready")
    assert 1 == len(list(history.since(mark)))
    assert found == history.first(mark, None, "ready")


def test_who_keeps_no_marks_takes_everything_and_leaves_nothing() -> None:
    history = History()
    history.append(parse(PUSHED))
    taken = history.take()

    assert [parse(PUSHED)] == taken
    assert 0 == len(history)
    assert [] == history.take()

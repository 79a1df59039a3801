"""Counting event records."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd.tally import MAX_CAUSES, OTHER, SECONDS, Histogram, Tally


def record(event: str, name: str = "rpd", **fields: Json) -> Message:
    return {
        "name": name,
        "event": event,
        "incarnation": 1,
        "cause": "",
        "monotonic_ns": 0,
        "downtime_ms": None,
        **fields,
    }


def counted(*records: Message) -> Tally:
    tally = Tally()
    for each in records:
        tally.count(each)
    return tally


def test_exits_are_counted_by_cause_and_those_asked_for_are_no_failures() -> None:
    rpd = counted(
        record("exit", cause="signal:SIGKILL"),
        record("exit", cause="signal:SIGKILL"),
        record("exit", cause="requested:gracefully"),
        record("exit", cause="hang"),
    ).of("rpd")

    assert {"signal:SIGKILL": 2, "requested:gracefully": 1, "hang": 1} == rpd.exits
    assert 3 == rpd.failures


def test_a_process_cannot_make_the_table_of_causes_grow_for_ever() -> None:
    rpd = counted(*(record("exit", cause=f"exit:{n}") for n in range(MAX_CAUSES + 10))).of("rpd")

    assert MAX_CAUSES + 1 == len(rpd.exits)
    assert 10 == rpd.exits[OTHER]


def test_readiness_is_measured_from_the_start_of_the_same_incarnation() -> None:
    tally = counted(
        record("start", incarnation=2, monotonic_ns=1_000_000_000),
        record("ready", incarnation=2, monotonic_ns=1_040_000_000, downtime_ms=55.5),
        record("ready", incarnation=1, monotonic_ns=9_000_000_000),
    )

    assert 0.04 == pytest.approx(tally.of("rpd").ready_seconds)
    assert 1 == tally.of("rpd").ready.count
    assert 0.0555 == pytest.approx(tally.of("rpd").downtime.total)
    assert 1 == tally.of("rpd").downtime.count


def test_hangs_faults_thrashes_and_starts_are_counted_for_each_process() -> None:
    tally = counted(
        record("hang"),
        record("fault", cause="kill"),
        record("thrash"),
        record("start"),
        record("start", "dcd"),
        record("serving"),
    )

    assert (1, 1, 1, 1) == (
        tally.of("rpd").hangs,
        tally.of("rpd").faults,
        tally.of("rpd").thrashes,
        tally.of("rpd").starts,
    )
    assert 1 == tally.of("dcd").starts
    assert {"hang": 1, "fault": 1, "thrash": 1, "start": 2, "serving": 1} == tally.events


@given(st.lists(st.floats(0, 100, allow_nan=False)))
def test_a_histogram_loses_no_duration(durations: list[float]) -> None:
    histogram = Histogram()
    for duration in durations:
        histogram.add(duration)

    for number, bound in enumerate(SECONDS):
        assert sum(d <= bound for d in durations) == sum(histogram.buckets[: number + 1])
    assert len(durations) == histogram.count
    assert sum(durations) == pytest.approx(histogram.total)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(("rpd", "dcd")),
                "event": st.sampled_from(
                    ("start", "ready", "exit", "hang", "thrash", "fault", "x")
                ),
                "incarnation": st.integers(1, 3),
                "cause": st.sampled_from(("hang", "exit:1", "requested:stop")),
                "monotonic_ns": st.integers(0, 2**60),
                "downtime_ms": st.none() | st.floats(0, 1e6),
            }
        )
    )
)
def test_counters_survive_being_written_and_read(records: list[Message]) -> None:
    tally = counted(*records)
    again = Tally.of_json(json.loads(json.dumps(tally.to_json())))

    assert tally.processes == again.processes
    assert tally.events == again.events


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"processes": {}, "events": {"x": "1"}},
        {"processes": {"rpd": {}}, "events": {}},
        {"processes": {"rpd": None}, "events": {}},
    ],
)
def test_what_is_no_tally_is_refused(value: Json) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Tally.of_json(value)


@pytest.mark.parametrize("value", [None, [], [0.0], ["x"] * 14, [0.0, *["x"] * 13]])
def test_what_is_no_histogram_is_refused(value: Json) -> None:
    with pytest.raises((TypeError, ValueError)):
        Histogram.of_json(value)


@pytest.mark.parametrize("value", [None, "x", [], {}])
def test_a_record_with_nonsense_in_it_is_counted_all_the_same(value: Json) -> None:
    tally = counted(
        {"name": value, "event": "start", "incarnation": value, "monotonic_ns": value},
        {"name": value, "event": "ready", "downtime_ms": value},
        {"name": value, "event": "exit", "cause": value},
        {},
    )

    assert 4 == sum(tally.events.values())


def test_how_long_jlaunchd_was_away_is_counted_though_nobody_says_so() -> None:
    tally = counted(
        record("exit", "jlaunchd", cause="signal:SIGKILL", monotonic_ns=1_000_000_000),
        record("start", "jlaunchd", incarnation=2, monotonic_ns=1_001_000_000),
        record("ready", "jlaunchd", incarnation=2, monotonic_ns=1_250_000_000),
        record("ready", "jlaunchd", incarnation=2, monotonic_ns=9_000_000_000),
    )

    assert 0.25 == pytest.approx(tally.of("jlaunchd").downtime.total)
    assert 1 == tally.of("jlaunchd").downtime.count

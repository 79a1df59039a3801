"""Events become spans."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.export.restarts import Restarts, Span
from jsupervisor.observer.events import EventRecord

OFFSET = 1_700_000_000_000_000_000


def record(
    event: str,
    ms: float,
    *,
    incarnation: int = 1,
    cause: str = "",
    decided_ms: float | None = None,
    downtime_ms: float | None = None,
    next: str = "",
    name: str = "rpd",
) -> EventRecord:
    ns = int(ms * 1e6)
    decided = ms if decided_ms is None else decided_ms
    time = datetime.fromtimestamp((OFFSET + decided * 1e6) / 1e9, UTC).isoformat()
    return EventRecord(name, event, incarnation, cause, ns, time, downtime_ms, 1, next)


def spans(*records: EventRecord) -> list[Span]:
    restarts = Restarts(OFFSET)
    return [span for each in records if (span := restarts.take(each)) is not None]


def shown(span: Span) -> list[tuple[str, int]]:
    """Each phase with its end, in ms after the span's start."""
    return [(p.name, round((p.end_ns - span.start_ns) / 1e6)) for p in span.phases]


def test_a_kill_is_told_from_the_fault_to_the_successor_s_readiness() -> None:
    (span,) = spans(
        record("fault", 1000, cause="kill"),
        record("exit", 1002, cause="signal:SIGKILL", decided_ms=1005, next="restart in 0 ms"),
        record("start", 1010, incarnation=2),
        record("serving", 1030, incarnation=2),
        record("ready", 1050, incarnation=2, downtime_ms=48.0),
    )

    assert "restart rpd" == span.name
    assert OFFSET + 1_000_000_000 == span.start_ns
    assert OFFSET + 1_050_000_000 == span.end_ns
    assert [("detect", 2), ("decide", 5), ("fork", 10), ("serving", 30), ("ready", 50)] == (
        shown(span)
    )
    assert {
        "jsupervisor.module": "rpd",
        "jsupervisor.cause": "signal:SIGKILL",
        "jsupervisor.incarnation": 2,
        "jsupervisor.attempt": 1,
        "jsupervisor.downtime_ms": 48.0,
    } == span.attributes
    assert not span.failed


def test_a_death_out_of_the_blue_begins_with_itself() -> None:
    (span,) = spans(
        record("exit", 1000, cause="exit:1", next="restart in 0 ms"),
        record("ready", 1050, incarnation=2),
    )

    assert [("decide", 0), ("ready", 50)] == shown(span)


def test_a_delay_is_a_phase_of_its_own() -> None:
    (span,) = spans(
        record("exit", 1000, cause="exit:1", decided_ms=1001, next="restart in 100 ms"),
        record("start", 1110, incarnation=2),
        record("ready", 1150, incarnation=2),
    )

    assert [("decide", 1), ("backoff", 101), ("fork", 110), ("ready", 150)] == shown(span)


def test_a_requested_restart_begins_with_the_request() -> None:
    (span,) = spans(
        record("restart", 1000, cause="requested:gracefully"),
        record("exit", 1020, cause="requested:gracefully"),
        record("ready", 1050, incarnation=2),
    )

    assert ("leave", 20) == shown(span)[0]


def test_a_hang_is_detected_before_the_kill() -> None:
    (span,) = spans(
        record("hang", 1000, cause="hang"),
        record("exit", 1030, cause="hang"),
        record("ready", 1050, incarnation=2),
    )

    assert ("detect", 30) == shown(span)[0]


def test_giving_up_is_a_failed_span() -> None:
    (span,) = spans(
        record("exit", 1000, cause="exit:1", next="hold"), record("thrash", 1001, cause="exit:1")
    )

    assert span.failed


def test_a_stop_is_no_restart() -> None:
    assert [] == spans(
        record("exit", 1000, cause="requested:stop"), record("ready", 9000, incarnation=2)
    )


def test_a_first_start_is_no_restart() -> None:
    assert [] == spans(record("start", 1000), record("serving", 1010), record("ready", 1020))


def test_an_exit_told_twice_is_one_restart() -> None:
    exit_ = record("exit", 1000, cause="exit:1")

    assert 1 == len(spans(exit_, exit_, record("ready", 1050, incarnation=2)))


def test_a_fault_of_long_ago_is_not_the_cause() -> None:
    (span,) = spans(
        record("fault", 0, cause="stop"),
        record("exit", 100_000, cause="exit:1"),
        record("ready", 100_050, incarnation=2),
    )

    assert OFFSET + 100_000_000_000 == span.start_ns


def test_modules_are_told_apart() -> None:
    found = spans(
        record("exit", 1000, name="rpd"),
        record("exit", 1001, name="dcd"),
        record("ready", 1050, name="dcd", incarnation=2),
        record("ready", 1060, name="rpd", incarnation=2),
    )

    assert ["restart dcd", "restart rpd"] == [span.name for span in found]


EVENTS = (
    "start",
    "exit",
    "hang",
    "serving",
    "ready",
    "restart",
    "stop",
    "thrash",
    "adopt",
    "fault",
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(EVENTS),
            st.integers(0, 5000),
            st.integers(1, 3),
            st.sampled_from(("restart in 5 ms", "hold", "", "restart in x ms")),
        )
    )
)
def test_whatever_happens_in_whatever_order_phases_join_and_lie_within_their_span(
    happened: list[tuple[str, int, int, str]],
) -> None:
    for span in spans(*(record(e, t, incarnation=i, next=n) for e, t, i, n in happened)):
        edges = [span.start_ns, *(p.end_ns for p in span.phases)]

        assert [p.start_ns for p in span.phases] == edges[:-1]
        assert sorted(edges) == edges
        assert edges[-1] <= span.end_ns

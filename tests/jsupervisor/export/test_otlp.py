"""The SDK's exporters against a collector that decodes what it gets."""

from __future__ import annotations

from typing import Protocol

from google.protobuf.message import Message
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from jsupervisor.export.otlp import WAITING, Collector
from jsupervisor.export.points import Points
from jsupervisor.export.restarts import Span
from jsupervisor.jlaunchd.openmetrics import Exposition, Family
from jsupervisor.observer.events import EventRecord


class Receiver(Protocol):
    """See conftest."""

    endpoint: str
    status: int
    requests: list[Message]

    def spans(self) -> list[OtlpSpan]: ...

    def metrics(self) -> list[Metric]: ...

    def logs(self) -> list[str]: ...


def restart(*, failed: bool = False) -> Span:
    phases = (Span("detect", 100, 120, {}), Span("ready", 120, 200, {}))
    return Span("restart rpd", 100, 200, {"jsupervisor.module": "rpd"}, failed, phases)


def collector(receiver: Receiver, told: list[str]) -> Collector:
    return Collector(receiver.endpoint, {"service.instance.id": "r1"}, told.append)


def test_a_restart_is_one_trace_with_its_phases_below(receiver: Receiver) -> None:
    sent = collector(receiver, [])
    sent.span(restart())
    sent.close()
    root, *phases = receiver.spans()

    assert ("restart rpd", 100, 200, b"") == (
        root.name,
        root.start_time_unix_nano,
        root.end_time_unix_nano,
        root.parent_span_id,
    )
    assert [("detect", 100, 120), ("ready", 120, 200)] == [
        (p.name, p.start_time_unix_nano, p.end_time_unix_nano) for p in phases
    ]
    assert {root.span_id} == {phase.parent_span_id for phase in phases}
    assert {root.trace_id} == {phase.trace_id for phase in phases}


def test_a_module_that_was_given_up_is_an_error(receiver: Receiver) -> None:
    sent = collector(receiver, [])
    sent.span(restart(failed=True))
    sent.span(restart())
    sent.close()
    roots = [span for span in receiver.spans() if not span.parent_span_id]

    assert [Status.STATUS_CODE_ERROR, Status.STATUS_CODE_UNSET] == [
        span.status.code for span in roots
    ]


def test_metrics_arrive_as_they_were_scraped(receiver: Receiver) -> None:
    family = Family("x_exits", "counter", "", ("module",), "Ends.")
    out = Exposition((family,))
    out.add(family, 3, "rpd")
    sent = collector(receiver, [])
    sent.metrics(Points().metrics(out.text(), 1000))
    sent.close()
    (metric,) = receiver.metrics()
    (point,) = metric.sum.data_points

    assert ("x_exits", True, 3.0, "rpd") == (
        metric.name,
        metric.sum.is_monotonic,
        point.as_double,
        point.attributes[0].value.string_value,
    )


def test_an_event_is_a_log_record(receiver: Receiver) -> None:
    sent = collector(receiver, [])
    sent.event(EventRecord("rpd", "exit", 1, "hang", 5, "", None, 1, "hold"), 1000)
    sent.close()

    assert ["rpd exit hang"] == receiver.logs()


def test_a_collector_that_refuses_is_told_once_and_so_is_its_return(receiver: Receiver) -> None:
    told: list[str] = []
    sent = collector(receiver, told)
    receiver.status = 400
    for _ in range(3):
        sent.span(restart())
    while len(told) < 1:
        sent.span(restart())
    receiver.status = 200
    while len(told) < 2:
        sent.span(restart())
    sent.close()

    assert [
        f"cannot export to {receiver.endpoint}: it does not take it; trying on",
        f"exporting to {receiver.endpoint} again",
    ] == told


def test_a_collector_that_is_away_costs_spans_and_no_time() -> None:
    sent = Collector("http://127.0.0.1:1", {}, lambda _: None)
    for _ in range(2 * WAITING):
        sent.span(restart())

    assert sent.dropped >= WAITING - 2
    sent.close()  # it returns: nobody goes on trying

"""The OpenTelemetry SDK's exporters, in a thread of their own behind a queue with a bound.

A collector that is slow or away costs spans and points, which are counted, and nothing else.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from jsupervisor import __version__
from jsupervisor.export.restarts import Span
from jsupervisor.observer.events import EventRecord

WAITING: Final = 256
"""Batches that may wait for the collector; the newest is dropped when there is no place."""
LAST_SECONDS: Final = 5.0
SCOPE: Final = InstrumentationScope("jsupervisor", __version__)
WARNINGS: Final = frozenset({"exit", "hang", "thrash", "failed", "fault"})
"""Events that are logged as warnings; the rest is information."""

Job = Callable[[], bool]


class Collector:
    """Sends to one endpoint. `complain` is told when that begins to fail, and when it works again."""

    def __init__(
        self,
        endpoint: str,
        resource: dict[str, str],
        complain: Callable[[str], None],
        *,
        grpc: bool = False,
    ) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # we say it, and once
        self.dropped = 0
        """Batches dropped since the start."""
        self._endpoint = endpoint
        self._complain = complain
        self._resource = Resource.create({"service.name": "jsupervisor", **resource})
        over = _over_grpc if grpc else _over_http
        self._spans, self._metrics, logs = over(endpoint.rstrip("/"))
        self._tracer = TracerProvider(sampler=ALWAYS_ON, resource=self._resource).get_tracer(
            "jsupervisor", __version__
        )
        self._logs = LoggerProvider(self._resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(SimpleLogRecordProcessor(logs))
        self._logger = self._logs.get_logger("jsupervisor", __version__)
        self._failing = self._ending = False
        self._jobs: queue.Queue[Job | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def span(self, span: Span) -> None:
        """Send a restart with its phases."""
        spans = self._readable(span, trace.INVALID_SPAN)
        self._put(lambda: self._spans.export(spans) is SpanExportResult.SUCCESS)

    def metrics(self, metrics: list[Metric]) -> None:
        """Send one scrape."""
        scopes = [ScopeMetrics(SCOPE, metrics, "")]
        data = MetricsData([ResourceMetrics(self._resource, scopes, "")])
        self._put(lambda: self._metrics.export(data) is MetricExportResult.SUCCESS)

    def event(self, record: EventRecord, offset_ns: int) -> None:
        """Send an event as a log record."""
        warning = record.event in WARNINGS
        message = LogRecord(
            timestamp=record.monotonic_ns + offset_ns,
            severity_number=SeverityNumber.WARN if warning else SeverityNumber.INFO,
            severity_text="WARN" if warning else "INFO",
            body=f"{record.name} {record.event} {record.cause}".rstrip(),
            event_name=f"jsupervisor.{record.event}",
            attributes={
                f"jsupervisor.{name}": value
                for name, value in record.to_json().items()
                if isinstance(value, str | int | float) and value != ""
            },
        )

        def emit() -> bool:
            self._logger.emit(message)
            return True

        self._put(emit)

    def close(self) -> None:
        """Send what waits, for a moment; then end, sent or not."""
        try:
            self._jobs.put(None, timeout=LAST_SECONDS)
            self._thread.join(LAST_SECONDS)
        except queue.Full:
            pass
        self._ending = True
        for exporter in (self._spans, self._metrics, self._logs):
            exporter.shutdown()  # a retry that is under way ends
        self._thread.join()

    def _put(self, job: Job) -> None:
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self.dropped += 1

    def _work(self) -> None:
        while not self._ending and (job := self._jobs.get()) is not None:
            try:
                sent = job()
            except Exception as error:  # whatever the SDK raises, the next may pass
                sent = False
                logging.getLogger(__name__).debug("cannot export", exc_info=error)
            if sent == self._failing:
                self._failing = not sent
                where = self._endpoint
                self._complain(
                    f"exporting to {where} again"
                    if sent
                    else f"cannot export to {where}: it does not take it; trying on"
                )

    def _readable(self, span: Span, parent: trace.Span) -> list[ReadableSpan]:
        started = self._tracer.start_span(
            span.name,
            trace.set_span_in_context(parent),
            attributes=span.attributes,
            start_time=span.start_ns,
        )
        if span.failed:
            started.set_status(trace.StatusCode.ERROR, "failed too often: not restarted")
        below = [each for phase in span.phases for each in self._readable(phase, started)]
        started.end(span.end_ns)
        assert isinstance(started, ReadableSpan)
        return [started, *below]


Exporters = tuple[SpanExporter, MetricExporter, LogRecordExporter]


def _over_http(endpoint: str) -> Exporters:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return (
        OTLPSpanExporter(f"{endpoint}/v1/traces"),
        OTLPMetricExporter(f"{endpoint}/v1/metrics"),
        OTLPLogExporter(f"{endpoint}/v1/logs"),
    )


def _over_grpc(endpoint: str) -> Exporters:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    insecure = not endpoint.startswith("https://")
    return (
        OTLPSpanExporter(endpoint, insecure=insecure),
        OTLPMetricExporter(endpoint, insecure=insecure),
        OTLPLogExporter(endpoint, insecure=insecure),
    )

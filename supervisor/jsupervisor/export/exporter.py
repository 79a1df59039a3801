"""The loop of the exporter: events from init as they come, a scrape now and then, until the instance ends."""

from __future__ import annotations

import http.client
import select
import socket
import time
from collections.abc import Callable
from typing import Final, Protocol

from opentelemetry.sdk.metrics.export import Metric

from jsupervisor.export.points import Points
from jsupervisor.export.restarts import Restarts, Span
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.operator import OperatorError, Watcher
from jsupervisor.paths import Instance

SCRAPE_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 1.0


class Sink(Protocol):
    """Where everything goes; none of it may wait."""

    def span(self, span: Span) -> None:
        """A restart."""

    def metrics(self, metrics: list[Metric]) -> None:
        """A scrape."""

    def event(self, record: EventRecord, offset_ns: int) -> None:
        """An event."""


class Exporter:
    """Watches one instance from outside."""

    def __init__(
        self, instance: Instance, sink: Sink, interval: float, complain: Callable[[str], None]
    ) -> None:
        """`interval` in seconds between scrapes; `complain` is told what cannot be watched."""
        self._instance = instance
        self._sink = sink
        self._interval = interval
        self._complain = complain
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        self._restarts = Restarts(self._offset_ns)
        self._points = Points()
        self._told = ""

    def run(self) -> None:
        """Until the instance ends; raises OperatorError when it does not run at all."""
        watcher = Watcher(self._instance)
        due = time.monotonic()
        try:
            while True:
                self._events(watcher)
                if time.monotonic() >= due:
                    due += self._interval
                    self._scrape()
                if watcher.ended:
                    watcher.close()
                    if not self._instance.alive():
                        return
                    watcher = self._again()
                    continue
                select.select([watcher], [], [], max(0.0, due - time.monotonic()))
        finally:
            watcher.close()

    def _events(self, watcher: Watcher) -> None:
        if not watcher.pump():
            return
        for record in watcher.history.take():
            self._sink.event(record, self._offset_ns)
            if (span := self._restarts.take(record)) is not None:
                self._sink.span(span)

    def _again(self) -> Watcher:
        """init has cut us, or ends: connect again."""
        time.sleep(RETRY_SECONDS)
        try:
            return Watcher(self._instance)
        except OperatorError:
            if self._instance.alive():
                raise
            raise SystemExit(0) from None

    def _scrape(self) -> None:
        now = time.time_ns()
        try:
            metrics = self._points.metrics(scrape(self._instance), now)
        except (OSError, ValueError, http.client.HTTPException) as error:
            why = f"cannot scrape instance {self._instance.name}: {str(error) or type(error).__name__}"
            if why != self._told:
                self._complain(why)
            self._told = why
            return
        self._told = ""
        self._sink.metrics(metrics)


def scrape(instance: Instance) -> str:
    """The metrics of an instance; raises OSError or HTTPException when jlaunchd does not answer."""
    connection = _UnixConnection(str(instance.run_dir / "jlaunchd" / "metrics.sock"))
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != 200:
            raise OSError(f"jlaunchd answers {response.status} {response.reason}")
        return text
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SCRAPE_SECONDS)
        self._path = path

    def connect(self) -> None:
        """As of HTTPConnection."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)

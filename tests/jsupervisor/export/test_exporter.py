"""The exporter watching a real instance, and sending to a real collector."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from jsupervisor.boot import Booted, boot
from jsupervisor.export.exporter import scrape
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.runtime.fakes import short_run_dir

TIMEOUT = 30.0

pytestmark = pytest.mark.system


class Receiver(Protocol):
    """See conftest."""

    endpoint: str

    def spans(self) -> list[Span]: ...

    def metrics(self) -> list[Metric]: ...

    def logs(self) -> list[str]: ...


@pytest.fixture
def booted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Booted]:
    """An instance of one daemon that does nothing."""
    with short_run_dir() as run_root:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(run_root))
        monkeypatch.setenv("JSUPERVISOR_HOME", str(tmp_path))
        plan = parse_plan(
            '[profile]\nname = "one"\n[program.rpd]\nconfine = "none"\n'
            'entry = "jsupervisor.runtime.daemon:Daemon"\n',
            "one.toml",
        )
        booted = boot(plan, name="one")
        with watcher(booted) as watching:
            while not is_up(booted):
                watching.wait_next(TIMEOUT)
        yield booted
        booted.let_go()
        booted.process.wait(TIMEOUT)


def watcher(booted: Booted) -> Watcher:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return Watcher(booted.instance)
        except OperatorError:
            assert time.monotonic() < deadline


def is_up(booted: Booted) -> bool:
    with Operator(booted.instance) as operator:
        return operator.status().all_up


def soon(done: object, what: str) -> None:
    assert callable(done)
    deadline = time.monotonic() + TIMEOUT
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def test_a_kill_arrives_as_a_span_a_log_record_and_a_counter(
    booted: Booted, receiver: Receiver
) -> None:
    exporter = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "jsupervisor.cli.main", "export", "otlp"),
            *("--name", "one", "--endpoint", receiver.endpoint, "--interval", "0.5"),
        ],
        env=dict(os.environ),
        stderr=subprocess.PIPE,
    )
    try:
        soon(receiver.metrics, "a first scrape")
        with Operator(booted.instance) as operator:
            operator.inject("rpd", "kill")
        soon(receiver.spans, "a span")
        soon(lambda: failures(receiver) == 1, "a counter")
    finally:
        booted.let_go()
        _, err = exporter.communicate(timeout=TIMEOUT)
    root = next(span for span in receiver.spans() if span.name == "restart rpd")
    below = [span.name for span in receiver.spans() if span.parent_span_id == root.span_id]

    assert ["detect", "decide", "fork", "serving", "ready"] == below
    assert "rpd exit signal:SIGKILL" in receiver.logs()
    assert (0, b"") == (exporter.returncode, err)


def failures(receiver: Receiver) -> float:
    """The newest value of rpd's failures."""
    points = [
        point.as_double
        for metric in receiver.metrics()
        if metric.name == "jsupervisor_failures"
        for point in metric.sum.data_points
        if point.attributes[0].value.string_value == "rpd"
    ]
    return points[-1] if points else 0.0


def test_a_killed_exporter_hurts_nobody(booted: Booted, receiver: Receiver) -> None:
    exporter = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "jsupervisor.cli.main", "export", "otlp"),
            *("--name", "one", "--endpoint", receiver.endpoint),
        ],
        env=dict(os.environ),
    )
    soon(receiver.metrics, "a first scrape")
    with Operator(booted.instance) as operator:
        before = operator.status()
        exporter.send_signal(signal.SIGKILL)
        exporter.wait(TIMEOUT)
        after = operator.status()

    assert before == after


def test_a_scrape_is_text(booted: Booted) -> None:
    assert 'jsupervisor_up{module="rpd"} 1' in scrape(booted.instance).splitlines()

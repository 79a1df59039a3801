"""The watching part of jlaunchd, without a jlaunchd: pages, counters, and defects that stay its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.alarms import Alarms
from jsupervisor.jlaunchd.heartstats import HeartStats
from jsupervisor.jlaunchd.journal import Journal
from jsupervisor.jlaunchd.ledger import KEEP_EVERY
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.telemetry import STATE, Telemetry
from jsupervisor.jlaunchd.watchers import Watchers
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.fakes import client_to, make_order, short_run_dir
from jsupervisor.runtime.log import Backlog, Log
from jsupervisor.runtime.rpc import Client


class Shell:
    """As much of a supervisor as is watched."""

    def __init__(self, run_dir: Path) -> None:
        self.order = make_order(run_dir, "jlaunchd")
        self.plan = Plan(
            profile="vmx", description="", policy="junos", programs=(), chassis={}, ports={}
        )
        self.clock = Clock()
        self.backlog = Backlog()
        self.log = Log(self.order, self.clock, self.backlog)
        self.journal = Journal(Path(self.order.home) / "journal.jsonl")
        self.alarms = Alarms()
        self.watchers = Watchers()
        self.adopted = trio.Event()
        self.published: Mapping[str, Message] = {}

    def speaker_of(self, name: str) -> str | None:
        return None

    def client(self, module: str) -> Client:
        return client_to(Path(self.order.run_dir), module, "jlaunchd")


@pytest.fixture
def shell() -> Generator[Shell, None, None]:
    with short_run_dir() as run_dir:
        shell = Shell(run_dir)
        Path(shell.order.home, "log").mkdir(parents=True, exist_ok=True)
        yield shell


@asynccontextmanager
async def running(shell: Shell) -> AsyncGenerator[Telemetry, None]:
    telemetry = Telemetry(shell, HeartStats())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(telemetry.run)
        yield telemetry
        nursery.cancel_scope.cancel()


async def get(shell: Shell, page: str) -> tuple[int, str]:
    path = Path(shell.order.run_dir, "jlaunchd", "metrics.sock")
    while not path.exists():
        await trio.sleep(0.001)
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(f"GET {page} HTTP/1.1\r\n\r\n".encode())
        answer = b"".join([part async for part in stream]).decode()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


def record(event: str, number: int = 1) -> Message:
    return {
        "name": "rpd",
        "event": event,
        "incarnation": 1,
        "cause": "exit:1",
        "monotonic_ns": number,
    }


async def test_metrics_are_served_while_nothing_is_adopted_yet(shell: Shell) -> None:
    async with running(shell) as telemetry:
        telemetry.ledger.enter(record("exit"))
        code, body = await get(shell, "/metrics")
    families = text_string_to_metric_families(body)  # type: ignore[no-untyped-call]
    events = {
        s.labels["event"]: s.value for f in families for s in f.samples if "event" in s.labels
    }

    assert 200 == code
    assert {"exit": 1.0} == events


async def test_health_is_good_once_everything_is_adopted(shell: Shell) -> None:
    async with running(shell):
        before, _ = await get(shell, "/healthz")
        shell.adopted.set()
        after, _ = await get(shell, "/healthz")

    assert (503, 200) == (before, after)


async def test_the_supervisor_s_own_counters_are_told(shell: Shell) -> None:
    shell.alarms.raise_alarm("rpd", "thrashing")
    shell.journal.failures = 3
    shell.watchers.cut = 2
    with shell.watchers.watching():
        async with running(shell) as telemetry:
            reply = await telemetry.metrics(pb.MetricsRequest())

    assert (3, 1, 1, 2) == (
        reply.supervisor.journal_errors,
        reply.supervisor.alarms,
        reply.supervisor.watchers,
        reply.supervisor.watchers_cut,
    )
    assert ["init", "jlaunchd", "launcher"] == [process.name for process in reply.processes]


async def test_counters_are_written_down_now_and_then(shell: Shell) -> None:
    async with running(shell) as telemetry:
        state = Path(shell.order.run_dir, "jlaunchd", STATE)
        first = state.read_text()
        for number in range(KEEP_EVERY - 1):
            telemetry.ledger.enter(record("exit", number))
        await telemetry.keep()
        unchanged = state.read_text()
        telemetry.ledger.enter(record("exit", KEEP_EVERY))
        await telemetry.keep()
        changed = state.read_text()

    assert first == unchanged
    assert first != changed
    assert 0o600 == state.stat().st_mode & 0o777 if state.exists() else True


async def test_a_defect_ends_a_task_and_nothing_else(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    log = Path(shell.order.home, "log")
    log.rmdir()
    log.write_text("a folder no more")
    Path(shell.order.run_dir, "jlaunchd").mkdir(exist_ok=True)
    Path(shell.order.run_dir, "jlaunchd", "metrics.sock.new").mkdir()  # cannot be unlinked
    async with running(shell):
        while not len(shell.backlog):
            await trio.sleep(0.001)
        told = shell.backlog.pop()

    assert told is not None
    assert told.text.startswith("cannot go on watching: ")
    assert "Traceback" in capsys.readouterr().err

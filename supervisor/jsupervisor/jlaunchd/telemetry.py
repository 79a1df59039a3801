"""Everything of jlaunchd that only watches: counters, samples, the scrape sockets, the log folder.

Its tasks have a nursery of their own. A defect in one of them is written down and ends that task, never the
supervisor: nobody shall lose a router for the sake of a graph.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd import metrics
from jsupervisor.jlaunchd.alarms import Alarms
from jsupervisor.jlaunchd.heartstats import HeartStats
from jsupervisor.jlaunchd.journal import Journal
from jsupervisor.jlaunchd.ledger import Ledger
from jsupervisor.jlaunchd.logkeeper import LogKeeper
from jsupervisor.jlaunchd.openmetrics import CONTENT_TYPE
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.sampler import Counts, Sampler
from jsupervisor.jlaunchd.scrape import Answer, ScrapeServer
from jsupervisor.jlaunchd.tally import Tally
from jsupervisor.jlaunchd.watchers import Watchers
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.log import Log
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import Client

SOCKET: Final = "metrics.sock"
STATE: Final = "tally.json"


class Shell(Protocol):
    """The supervisor's shell, as far as it is watched."""

    order: Order
    plan: Plan
    clock: Clock
    log: Log
    journal: Journal
    alarms: Alarms
    watchers: Watchers
    adopted: trio.Event

    @property
    def published(self) -> Mapping[str, Message]:
        """What `status` says of each module."""

    def speaker_of(self, name: str) -> str | None:
        """Whose sockets speak for a module; None when there is no gRPC."""

    def client(self, module: str) -> Client:
        """The channel to a module."""


class Telemetry:
    """What is counted from the first moment on; `run` serves it."""

    def __init__(self, shell: Shell, heart_stats: HeartStats) -> None:
        home, run_dir = Path(shell.order.home), Path(shell.order.run_dir)
        self.ledger = Ledger(home / "journal.jsonl", run_dir / "jlaunchd" / STATE)
        self.heart_stats = heart_stats
        self._shell = shell
        self._sampler = Sampler(self)
        self._socket = run_dir / "jlaunchd" / SOCKET
        self._keeper = LogKeeper(
            home / "log", home / "crash", lambda: self._shell.plan.log, self._cannot
        )

    async def run(self) -> None:
        """Serve samples and keep the logs, for ever."""
        server = ScrapeServer({"/metrics": self._metrics, "/healthz": self._health})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._guarded, lambda: server.serve_unix(self._socket))
            nursery.start_soon(self._guarded, self._keeper.run)
            if listen := self._shell.plan.metrics:
                nursery.start_soon(self._guarded, lambda: server.serve_tcp(listen, self._cannot))

    async def keep(self) -> None:
        """Write the counters down when it is time to."""
        if (text := self.ledger.due()) is not None:
            await trio.to_thread.run_sync(self.ledger.keep, text)

    async def metrics(self, request: pb.MetricsRequest) -> pb.MetricsReply:
        """A sample, for Supervisor.Metrics."""
        return metrics.message(await self._sampler.sample(), request.names)

    # -- what the sampler asks ----------------------------------------------------------------

    @property
    def order(self) -> Order:
        """jlaunchd's own."""
        return self._shell.order

    @property
    def plan(self) -> Plan:
        """The one in force."""
        return self._shell.plan

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._shell.clock

    @property
    def published(self) -> Mapping[str, Message]:
        """What `status` says of each module."""
        return self._shell.published

    @property
    def tally(self) -> Tally:
        """What has happened to each."""
        return self.ledger.tally

    def speaker_of(self, name: str) -> str | None:
        """Whose sockets speak for a module."""
        return self._shell.speaker_of(name)

    def client(self, module: str) -> Client:
        """The channel to a module."""
        return self._shell.client(module)

    def counts(self) -> Counts:
        """Counters of the supervisor itself."""
        shell = self._shell
        return Counts(
            journal_errors=shell.journal.failures,
            alarms=len(shell.alarms.wanted),
            watchers=shell.watchers.count,
            watchers_cut=shell.watchers.cut,
        )

    # -- pages --------------------------------------------------------------------------------

    async def _metrics(self) -> Answer:
        sample = await self._sampler.sample()
        text = await trio.to_thread.run_sync(metrics.text, sample)
        return Answer(200, text, CONTENT_TYPE)

    async def _health(self) -> Answer:
        if self._shell.adopted.is_set():
            return Answer(200, "ok\n")
        return Answer(503, "jlaunchd has not adopted yet what runs\n")

    def _cannot(self, why: str) -> None:
        self._shell.log.error("JLAUNCHD_TELEMETRY", why)

    async def _guarded(self, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except Exception as error:  # noqa: BLE001 - whatever it is, the supervisor goes on
            traceback.print_exc()
            self._cannot(f"cannot go on watching: {type(error).__name__}: {error}")

"""Makes samples of the whole instance when somebody asks, without making the supervisor wait.

Three sources: what jlaunchd knows itself, copied in the loop; init's status and /proc, in a worker
thread; the modules' own counters, over RPC, a few at a time and each with a deadline. What does not
answer in time is missing in the sample. Nothing is done while nobody asks, and whoever asks
again soon, or at the same time, gets the same sample.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import trio

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor import __version__
from jsupervisor.initproto import Connection, Json, Message, MessageError
from jsupervisor.jlaunchd.heartstats import HeartStats
from jsupervisor.jlaunchd.metrics import ProcessSample, Sample
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.tally import Tally
from jsupervisor.jlaunchd.usage import usage
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import Client, RpcError

FRESH: Final = 0.5
"""Seconds for which a sample is good."""
INIT_TIMEOUT: Final = 0.5
STATS_TIMEOUT: Final = 0.25
AT_ONCE: Final = 8
"""Modules asked at the same time: heartbeats shall not stand behind a hundred questions."""


class Known(Protocol):
    """What the supervisor's shell knows, as far as a sample shows it."""

    @property
    def order(self) -> Order:
        """Its own order."""

    @property
    def plan(self) -> Plan:
        """What runs."""

    @property
    def clock(self) -> Clock:
        """The time."""

    @property
    def published(self) -> Mapping[str, Message]:
        """What `status` says of each module."""

    @property
    def tally(self) -> Tally:
        """What has happened to each."""

    @property
    def heart_stats(self) -> HeartStats:
        """Their heartbeats."""

    def speaker_of(self, name: str) -> str | None:
        """Whose sockets speak for a module; None when there is no gRPC."""

    def client(self, module: str) -> Client:
        """The channel to a module."""

    def counts(self) -> Counts:
        """Counters of the supervisor itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Of the supervisor itself."""

    journal_errors: int
    alarms: int
    watchers: int
    watchers_cut: int


class Sampler:
    """One for an instance."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._lock = trio.Lock()
        self._thread = trio.CapacityLimiter(1)
        self._sample: Sample | None = None

    async def sample(self) -> Sample:
        """A sample that is at most FRESH seconds old when it is asked for."""
        async with self._lock:
            now = self._known.clock.monotonic_ns()
            if self._sample is None or now - self._sample.monotonic_ns > FRESH * 1e9:
                self._sample = await self._make(now)
            return self._sample

    async def _make(self, now: int) -> Sample:
        known, counts = self._known, self._known.counts()
        processes = self._modules()
        run_dir = known.order.run_dir
        asked: Callable[[], list[ProcessSample]] = lambda: _look(run_dir, processes)
        seen: list[ProcessSample] = processes
        with trio.move_on_after(2 * INIT_TIMEOUT):
            seen = await trio.to_thread.run_sync(
                asked, limiter=self._thread, abandon_on_cancel=True
            )
        stats = await self._ask_all(seen)
        return Sample(
            monotonic_ns=now,
            version=__version__,
            instance=known.order.instance,
            profile=known.plan.profile,
            architecture=known.plan.architecture,
            processes=[replace(process, stats=stats.get(process.name)) for process in seen],
            events=dict(known.tally.events),
            journal_errors=counts.journal_errors,
            alarms=counts.alarms,
            watchers=counts.watchers,
            watchers_cut=counts.watchers_cut,
        )

    def _modules(self) -> list[ProcessSample]:
        """init, jlaunchd and launcher, then the modules: what is known without asking anybody."""
        known = self._known
        keepers = [
            self._bare("init", os.getppid(), 1),
            self._bare("jlaunchd", os.getpid(), known.order.incarnation),
            self._bare("launcher", 0, known.tally.of("launcher").incarnation),
        ]
        return keepers + [
            ProcessSample(
                name=name,
                executable=str(published["executable"]),
                state=str(published["state"]),
                pid=_int(published["pid"]),
                incarnation=_int(published["incarnation"]),
                restarts=_int(published["restarts"]),
                tally=known.tally.of(name).copy(),
                heart=replace(known.heart_stats.of(name)),
            )
            for name, published in known.published.items()
        ]

    def _bare(self, name: str, pid: int, incarnation: int) -> ProcessSample:
        return ProcessSample(
            name=name,
            executable=name,
            state="up" if pid else "down",
            pid=pid,
            incarnation=incarnation,
            restarts=max(0, incarnation - 1),
            tally=self._known.tally.of(name).copy(),
        )

    async def _ask_all(
        self, processes: Sequence[ProcessSample]
    ) -> dict[str, runtime_pb2.StatsReply]:
        """What the modules count themselves, as far as they answer."""
        found: dict[str, runtime_pb2.StatsReply] = {}
        places = trio.CapacityLimiter(AT_ONCE)

        async def ask(name: str, speaker: str) -> None:
            async with places:
                reply = await self._ask(speaker)
            if reply is not None:
                found[name] = reply

        async with trio.open_nursery() as nursery:
            for process in processes:
                speaker = self._speaker(process)
                if speaker is not None:
                    nursery.start_soon(ask, process.name, speaker)
        return found

    def _speaker(self, process: ProcessSample) -> str | None:
        if process.name == self._known.order.name:
            return process.name  # our own servers count as well
        return self._known.speaker_of(process.name) if process.state == "up" else None

    async def _ask(self, speaker: str) -> runtime_pb2.StatsReply | None:
        client = self._known.client(speaker)
        try:
            return await client.unary(
                runtime_pb2_grpc.RuntimeStub(client.channel).Stats,
                runtime_pb2.StatsRequest(),
                timeout=STATS_TIMEOUT,
                wait_for_ready=False,
            )
        except RpcError:
            return None


def _look(run_dir: str, processes: Sequence[ProcessSample]) -> list[ProcessSample]:
    """The same with what init and /proc say of each: in a thread, for init may keep us waiting."""
    status = _status(run_dir)
    start_times = {
        str(each["name"]): _int(each.get("start_time"))
        for each in _list(status.get("processes"))
        if isinstance(each, Mapping) and each.get("pid")
    }
    launcher = status.get("launcher")
    seen = []
    for process in processes:
        if process.name == "launcher" and isinstance(launcher, Mapping):
            pid, incarnation = _int(launcher.get("pid")), _int(launcher.get("incarnation"))
            state = "up" if pid else "down"
            process = replace(
                process,
                pid=pid,
                state=state,
                incarnation=incarnation,
                restarts=max(0, incarnation - 1),
            )
        used = usage(process.pid) if process.pid else None
        expected = start_times.get(process.name)
        if used is not None and expected and used.start_time != expected:
            used = None  # it has died since, and its pid is another's
        seen.append(replace(process, usage=used))
    return seen


def _status(run_dir: str) -> Mapping[str, Json]:
    try:
        connection = Connection.open(os.path.join(run_dir, "init.sock"), INIT_TIMEOUT)
        try:
            status = connection.request({"op": "status"}).get("status")
        finally:
            connection.close()
    except (OSError, MessageError):
        return {}
    return status if isinstance(status, Mapping) else {}


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0

"""Makes samples of the whole instance when somebody asks, without making the supervisor wait.

Three sources: what jlaunchd knows itself, copied in the loop; init's status and /proc, in a worker
thread; the modules' own counters, over RPC, a few at a time and each with a deadline. What does not
answer in time is missing in the sample. Nothing is done while nobody asks, and others are not asked
again for whoever asks again soon, or at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
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
from jsupervisor.jlaunchd.usage import Usage, usage
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


@dataclass(frozen=True, slots=True)
class Look:
    """What was asked of others, and when."""

    monotonic_ns: int
    usage: Mapping[int, Usage]
    """By pid."""
    launcher: tuple[int, int]
    """Its pid, 0 while there is none, and its incarnation."""
    stats: Mapping[str, tuple[int, runtime_pb2.StatsReply]]
    """With the incarnation that answered."""


class Sampler:
    """One for an instance."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._lock = trio.Lock()
        self._thread = trio.CapacityLimiter(1)
        self._look = Look(0, {}, (0, 0), {})

    async def sample(self) -> Sample:
        """Everything: what jlaunchd knows as of now, what others said FRESH seconds ago at most."""
        async with self._lock:
            now = self._known.clock.monotonic_ns()
            if now - self._look.monotonic_ns > FRESH * 1e9:
                self._look = await self._make(now)
        return self._of(self._look)

    def _of(self, look: Look) -> Sample:
        known, counts = self._known, self._known.counts()
        return Sample(
            monotonic_ns=look.monotonic_ns,
            version=__version__,
            instance=known.order.instance,
            profile=known.plan.profile,
            architecture=known.plan.architecture,
            processes=[_seen(process, look) for process in self._modules(look.launcher)],
            events=dict(known.tally.events),
            journal_errors=counts.journal_errors,
            alarms=counts.alarms,
            watchers=counts.watchers,
            watchers_cut=counts.watchers_cut,
        )

    async def _make(self, now: int) -> Look:
        run_dir = self._known.order.run_dir
        processes = self._modules((0, 0))
        pids = {process.name: process.pid for process in processes if process.pid}
        look = Look(now, {}, self._look.launcher, {})
        with trio.move_on_after(2 * INIT_TIMEOUT):
            look = await trio.to_thread.run_sync(
                _look, now, run_dir, pids, limiter=self._thread, abandon_on_cancel=True
            )
        return replace(look, stats=await self._ask_all(processes))

    def _modules(self, launcher: tuple[int, int]) -> list[ProcessSample]:
        """init, jlaunchd and launcher, then the modules: what is known without asking anybody."""
        known = self._known
        keepers = [
            self._bare("init", os.getppid(), 1),
            self._bare("jlaunchd", os.getpid(), known.order.incarnation),
            self._bare("launcher", *launcher),
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
    ) -> dict[str, tuple[int, runtime_pb2.StatsReply]]:
        """What the modules count themselves, as far as they answer."""
        found: dict[str, tuple[int, runtime_pb2.StatsReply]] = {}
        places = trio.CapacityLimiter(AT_ONCE)

        async def ask(name: str, speaker: str) -> None:
            async with places:
                reply = await self._ask(speaker)
            if reply is not None:
                found[name] = (reply.incarnation, reply)

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


def _seen(process: ProcessSample, look: Look) -> ProcessSample:
    """The process with what was found out of it, unless it has been replaced since."""
    incarnation, stats = look.stats.get(process.name, (0, None))
    if incarnation != process.incarnation:
        stats = None
    return replace(process, usage=look.usage.get(process.pid), stats=stats)


def _look(now: int, run_dir: str, pids: dict[str, int]) -> Look:
    """What init and /proc say: in a thread, for init may keep us waiting."""
    status = _status(run_dir)
    known = status.get("launcher")
    launcher = known if isinstance(known, Mapping) else {}
    pids = {**pids, "launcher": _int(launcher.get("pid"))}
    start_times = {
        str(each["name"]): _int(each.get("start_time"))
        for each in _list(status.get("processes"))
        if isinstance(each, Mapping) and each.get("pid")
    }
    used: dict[int, Usage] = {}
    for name, pid in pids.items():
        found = usage(pid) if pid else None
        # Else it has died since, and its pid is another's.
        if found is not None and start_times.get(name, found.start_time) == found.start_time:
            used[pid] = found
    return Look(now, used, (pids["launcher"], _int(launcher.get("incarnation"))), {})


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

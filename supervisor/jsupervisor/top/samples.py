"""One look at an instance: what init, jlaunchd and /proc said of it, as frozen values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.jlaunchd.groups import Group
from jsupervisor.observer.status import InstanceStatus

KEEPERS: Final = ("init", "jlaunchd", "launcher")
"""The processes that are no modules."""
LOOKING: Final = frozenset(
    {
        "/jprotos.runtime.v1.Runtime/Heartbeat",
        "/jprotos.runtime.v1.Runtime/Stats",
        "/jprotos.jlaunchd.v1.Supervisor/Metrics",
    }
)
"""Calls that are made because somebody looks: left out of rates, which are of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one process uses; it counts from its start."""

    pid: int
    cpu_seconds: float
    resident_bytes: int
    started_ns: int
    """CLOCK_MONOTONIC."""
    threads: int = 0
    open_fds: int = 0


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one method that ended with one code."""

    method: str
    code: str
    handled: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What jlaunchd has counted of one name since the instance started."""

    pid: int = 0
    incarnation: int = 0
    restarts: int = 0
    failures: int = 0
    hangs: int = 0
    thrashes: int = 0
    exits: Mapping[str, int] = field(default_factory=dict)
    """By cause."""
    downtime_seconds: float = 0.0
    downtimes: int = 0
    ready_seconds: float = 0.0
    heartbeats: int = 0
    heartbeats_missed: int = 0
    heartbeat_seconds: float = 0.0
    heartbeat_ns: int = 0
    """CLOCK_MONOTONIC when the newest was seen; 0: none."""
    calls: tuple[Calls, ...] | None = None
    """None: it has no gRPC, or did not answer in time."""

    @property
    def work(self) -> int | None:
        """Calls served that were not made just to look."""
        if self.calls is None:
            return None
        return sum(calls.handled for calls in self.calls if calls.method not in LOOKING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything at one moment. What did not answer is None, and nothing is made up for it."""

    at_ns: int
    """CLOCK_MONOTONIC."""
    status: InstanceStatus | None = None
    """Init's."""
    uses: Mapping[str, Use] = field(default_factory=dict)
    """/proc's, by name."""
    counts: Mapping[str, Counts] | None = None
    """jlaunchd's, by name."""
    counts_ns: int = 0
    """CLOCK_MONOTONIC when those were taken."""
    alarms: int = 0
    policy: str = ""
    """What the instance was started under."""
    groups: tuple[Group, ...] = ()
    trouble: str = ""
    """Why something is None."""


def counts_of(process: pb.ProcessMetrics) -> Counts:
    """What `Supervisor.Metrics` says of one process."""
    calls = tuple(Calls(c.method, c.code, c.handled, c.seconds) for c in process.rpcs)
    return Counts(
        pid=process.pid,
        incarnation=process.incarnation,
        restarts=process.restarts,
        failures=process.failures,
        hangs=process.hangs,
        thrashes=process.thrashes,
        exits=dict(process.exits),
        downtime_seconds=process.downtime_seconds,
        downtimes=process.downtimes,
        ready_seconds=process.ready_seconds,
        heartbeats=process.heartbeats,
        heartbeats_missed=process.heartbeats_missed,
        heartbeat_seconds=process.heartbeat_seconds,
        heartbeat_ns=process.heartbeat_ns,
        # A process with gRPC has counted at least the question itself, from its second sample on.
        calls=calls or None,
    )

"""What init knows of each module's process, and who may become one.

The law: a name has one process at most. jlaunchd reserves (name, incarnation) before anything is
forked; a process runs module code only after its claim was granted; a second or stale claimant is
refused and exits. So neither a SIGKILL between fork and record nor a launcher's death can make a
duplicate or an orphan. No I/O and no clock here: times come in as nanoseconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from jsupervisor.initproto import Json, Message

MAX_RECORD: Final = 4096
CLAIM_TIMEOUT_NS: Final = 5_000_000_000
STARTERS: Final = ("lean", "full", "foreign")
"""Who starts it: a stage of the launcher, or init itself."""
FAULT: Final = "fault"
"""Why a process was signalled when it was to fail: what follows is what follows from any failure."""
STAGES: Final = ("serving", "ready", "forwarding")


class Phase(Enum):
    """Where a name's newest incarnation stands."""

    RESERVED = "reserved"
    RUNNING = "running"
    GONE = "gone"


class Refused(Exception):
    """A request against the table's law; the text tells the asker why."""


@dataclass(slots=True)
class Process:
    """The newest incarnation of one module."""

    name: str
    incarnation: int
    order: Message
    stage: str
    shares: frozenset[str]
    phase: Phase = Phase.RESERVED
    pid: int = 0
    start_time: int = 0
    reserved_ns: int = 0
    claim_deadline_ns: int | None = None
    reached: dict[str, int] = field(default_factory=dict)
    phases: Message = field(default_factory=dict)
    """When it reached which step of its start, by its own account."""
    ordered: str = ""
    """The fault or signal that we sent ourselves, if any: an ordered death says so."""
    replaces: Process | None = None
    """Whom it has succeeded by a standing order, until jlaunchd has taken note of that."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What to start when the running incarnation fails."""

    incarnation: int
    stage: str
    order: Message
    mark: str = ""
    """What jlaunchd wants to know of it again."""


class Table:
    """All modules by name, with jlaunchd's opaque record of each."""

    def __init__(self) -> None:
        self.processes: dict[str, Process] = {}
        self.records: dict[str, Json] = {}
        self.standing: dict[str, Standing] = {}

    def reserve(self, name: str, incarnation: int, stage: str, order: Message, now: int) -> Process:
        """Reserve the next incarnation; raises Refused while an older one may still run."""
        if stage not in STARTERS:
            raise Refused(f"there is no launcher {stage!r}")
        known = self.processes.get(name)
        if known is not None and known.phase is not Phase.GONE:
            raise Refused(f"{name} incarnation {known.incarnation} is {known.phase.value}")
        if known is not None and incarnation <= known.incarnation:
            raise Refused(f"{name} incarnation {incarnation} is not above {known.incarnation}")
        shares = order.get("shares")
        allowed = (
            frozenset(str(share) for share in shares) if isinstance(shares, list) else frozenset()
        )
        self.standing.pop(name, None)
        process = Process(name, incarnation, order, stage, allowed | {name})
        process.reserved_ns, process.claim_deadline_ns = now, now + CLAIM_TIMEOUT_NS
        self.processes[name] = process
        return process

    def record(
        self, name: str, incarnation: int, record: Json, standing: Standing | None = None
    ) -> None:
        """Keep a record. A standing order is what came with the newest record, or there is none."""
        self.records[name] = record
        self.standing.pop(name, None)
        process = self.processes.get(name)
        if process is None or process.incarnation != incarnation:
            return  # it was written before jlaunchd knew of the successor
        process.replaces = None
        if standing is not None and process.phase is Phase.RUNNING:
            self.standing[name] = standing

    def succeed(self, gone: Process, now: int) -> Process | None:
        """Reserve the successor of a process that has failed, if a standing order says so."""
        standing = self.standing.pop(gone.name, None)
        if standing is None or gone.ordered not in ("", FAULT):
            return None
        gone.replaces = None
        process = self.reserve(gone.name, standing.incarnation, standing.stage, standing.order, now)
        process.replaces = gone
        return process

    def claim(self, name: str, incarnation: int, pid: int, start_time: int) -> Process:
        """Grant a reservation to its first claimant; raises Refused."""
        known = self.processes.get(name)
        if known is None or known.incarnation != incarnation:
            raise Refused(f"{name} incarnation {incarnation} is not reserved")
        if known.phase is not Phase.RESERVED:
            raise Refused(f"{name} incarnation {incarnation} is {known.phase.value} as {known.pid}")
        if (already := self._by_pid(pid)) is not None:
            raise Refused(f"pid {pid} is {already.name} already")
        known.phase, known.pid, known.start_time = Phase.RUNNING, pid, start_time
        known.claim_deadline_ns = None
        return known

    def expire(self, now: int) -> list[Process]:
        """Drop reservations that nobody claimed in time; return them."""
        late = [
            process
            for process in self.processes.values()
            if process.claim_deadline_ns is not None and process.claim_deadline_ns <= now
        ]
        for process in late:
            process.phase, process.claim_deadline_ns = Phase.GONE, None
        return late

    def report(self, pid: int, stage: str, monotonic_ns: int) -> Process:
        """Note that the process reached a stage of its start; raises Refused."""
        process = self.running(pid)
        if stage not in STAGES:
            raise Refused(f"there is no stage {stage!r}")
        process.reached[stage] = monotonic_ns
        return process

    def exited(self, pid: int) -> Process | None:
        """The module that `pid` was, now gone; None when it was none."""
        process = self._by_pid(pid)
        if process is not None:
            process.phase = Phase.GONE
        return process

    def running(self, pid: int) -> Process:
        """The module that runs as `pid`; raises Refused."""
        process = self._by_pid(pid)
        if process is None:
            raise Refused(f"pid {pid} is not a running module")
        return process

    def find(self, name: str, incarnation: int | None = None) -> Process:
        """The running process of `name`; raises Refused when there is none (or another one)."""
        process = self.processes.get(name)
        if process is None or process.phase is not Phase.RUNNING:
            raise Refused(f"{name} is not running")
        if incarnation not in (None, process.incarnation):
            raise Refused(f"{name} runs as incarnation {process.incarnation}, not {incarnation}")
        return process

    def forget(self, name: str) -> None:
        """Forget a module that is gone; raises Refused while it is not."""
        process = self.processes.get(name)
        if process is not None and process.phase is not Phase.GONE:
            raise Refused(f"{name} is {process.phase.value}")
        self.processes.pop(name, None)
        self.records.pop(name, None)
        self.standing.pop(name, None)

    def offer(self, stage: str, now: int) -> list[Process]:
        """Reservations for a launcher of this stage that has just come; their time begins anew."""
        unclaimed = [
            process
            for process in self.processes.values()
            if process.phase is Phase.RESERVED and process.stage == stage
        ]
        for process in unclaimed:
            process.claim_deadline_ns = now + CLAIM_TIMEOUT_NS
        return unclaimed

    def alive(self) -> list[Process]:
        """Every running module, oldest name first."""
        return [p for p in self.processes.values() if p.phase is Phase.RUNNING]

    def _by_pid(self, pid: int) -> Process | None:
        for process in self.processes.values():
            if process.pid == pid and process.phase is Phase.RUNNING:
                return process
        return None


def describe_before(process: Process) -> Message:
    """What a new jlaunchd is told that has yet to hear of a succession: it comes after."""
    before = process.replaces
    if before is None:
        return describe(process)
    return {**describe(before), "phase": Phase.RUNNING.value, "pid": before.pid}


def describe(process: Process) -> Message:
    """What jlaunchd, or `status`, is told of a process."""
    return {
        "name": process.name,
        "incarnation": process.incarnation,
        "phase": process.phase.value,
        "pid": process.pid if process.phase is Phase.RUNNING else None,
        "start_time": process.start_time,
        "reached": dict(process.reached),
        "ordered": process.ordered,
    }

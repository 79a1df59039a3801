"""The metrics of an instance: which there are, and how one sample of everything becomes text. Pure.

docs/metrics.md explains the families; a test compares it with the table here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jprotos.runtime.v1 import runtime_pb2
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.heartstats import HeartCount
from jsupervisor.jlaunchd.openmetrics import Exposition, Family, Kind
from jsupervisor.jlaunchd.tally import SECONDS, Histogram, ProcessTally
from jsupervisor.jlaunchd.usage import Usage

STATES: Final = tuple(dict.fromkeys(state.shown for state in State))
_MODULE: Final = ("module",)
_RPC: Final = ("module", "service", "method", "code")


def _family(name: str, kind: Kind, labels: tuple[str, ...], help: str) -> Family:
    unit = next((u for u in ("seconds", "bytes") if name.endswith(f"_{u}")), "")
    return Family(f"jsupervisor_{name}", kind, unit, labels, help)


BUILD: Final = _family("build", "info", ("version",), "The release of jsupervisor.")
INSTANCE: Final = _family(
    "instance", "info", ("instance", "profile", "architecture"), "What is running."
)
UP: Final = _family("up", "gauge", _MODULE, "Is the process ready for work (1) or not (0)?")
STATE: Final = _family("state", "stateset", _MODULE, "The state of the module.")
INCARNATION: Final = _family(
    "incarnation", "gauge", _MODULE, "The number of the newest process of this name."
)
RESTARTS: Final = _family("restarts", "counter", _MODULE, "Starts after the first one.")
EXITS: Final = _family("exits", "counter", ("module", "cause"), "Ends of the process, by cause.")
FAILURES: Final = _family("failures", "counter", _MODULE, "Ends that nobody had asked for.")
HANGS: Final = _family("hangs", "counter", _MODULE, "Times it was found hanging, or late to start.")
THRASHES: Final = _family(
    "thrashes", "counter", _MODULE, "Times it failed too often for its policy."
)
FAULTS: Final = _family("faults", "counter", _MODULE, "Faults injected on purpose.")
DOWNTIME: Final = _family(
    "downtime_seconds", "histogram", _MODULE, "From an end to the successor's readiness."
)
READY: Final = _family("ready_seconds", "histogram", _MODULE, "From a start to readiness.")
HEARTBEATS: Final = _family("heartbeats", "counter", _MODULE, "Heartbeats asked for.")
MISSED: Final = _family(
    "heartbeats_missed", "counter", _MODULE, "Heartbeats that nobody answered in time."
)
LATENCY: Final = _family(
    "heartbeat_latency_seconds", "gauge", _MODULE, "What the newest heartbeat answered took."
)
CPU: Final = _family(
    "process_cpu_seconds", "counter", _MODULE, "User and system time of the present process."
)
RESIDENT: Final = _family(
    "process_resident_memory_bytes", "gauge", _MODULE, "Resident memory, shared pages included."
)
VIRTUAL: Final = _family("process_virtual_memory_bytes", "gauge", _MODULE, "Address space.")
FDS: Final = _family("process_open_fds", "gauge", _MODULE, "Open file descriptors.")
THREADS: Final = _family("process_threads", "gauge", _MODULE, "Threads.")
HANDLED: Final = _family("rpc_handled", "counter", _RPC, "Calls served, by method and status.")
HANDLING: Final = _family(
    "rpc_handling_seconds", "counter", _RPC, "Time spent in those calls, summed."
)
IN_FLIGHT: Final = _family("rpc_in_flight", "gauge", _MODULE, "Calls that have not ended yet.")
DROPPED: Final = _family(
    "log_records_dropped", "counter", _MODULE, "Log records lost for want of a reader."
)
EVENTS: Final = _family("events", "counter", ("event",), "Event records, by event.")
JOURNAL_ERRORS: Final = _family(
    "journal_errors", "counter", (), "Writes of the journal that failed; no record is lost by one."
)
ALARMS: Final = _family("alarms", "gauge", (), "Alarms that jlaunchd keeps raised.")
WATCHERS: Final = _family("watchers", "gauge", (), "Readers of the event stream.")
WATCHERS_CUT: Final = _family(
    "watchers_cut", "counter", (), "Readers of the event stream cut for being too slow."
)

FAMILIES: Final = (
    BUILD, INSTANCE, UP, STATE, INCARNATION, RESTARTS, EXITS, FAILURES, HANGS, THRASHES, FAULTS,
    DOWNTIME, READY, HEARTBEATS, MISSED, LATENCY, CPU, RESIDENT, VIRTUAL, FDS, THREADS,
    HANDLED, HANDLING, IN_FLIGHT, DROPPED, EVENTS, JOURNAL_ERRORS, ALARMS, WATCHERS, WATCHERS_CUT,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSample:
    """One process at one moment; what is not known of it is None."""

    name: str
    executable: str
    state: str
    pid: int
    incarnation: int
    restarts: int
    tally: ProcessTally
    heart: HeartCount | None = None
    usage: Usage | None = None
    stats: runtime_pb2.StatsReply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Everything at one moment."""

    monotonic_ns: int
    version: str
    instance: str
    profile: str
    architecture: str
    processes: Sequence[ProcessSample]
    events: dict[str, int]
    journal_errors: int
    alarms: int
    watchers: int
    watchers_cut: int


def text(sample: Sample) -> str:
    """The sample as OpenMetrics."""
    out = Exposition(FAMILIES)
    out.add(BUILD, 1, sample.version)
    out.add(INSTANCE, 1, sample.instance, sample.profile, sample.architecture)
    for process in sample.processes:
        _add_life(out, process)
        _add_use(out, process)
        _add_calls(out, process)
    for event, number in sorted(sample.events.items()):
        out.add(EVENTS, number, event)
    out.add(JOURNAL_ERRORS, sample.journal_errors)
    out.add(ALARMS, sample.alarms)
    out.add(WATCHERS, sample.watchers)
    out.add(WATCHERS_CUT, sample.watchers_cut)
    return out.text()


def _add_life(out: Exposition, process: ProcessSample) -> None:
    name, tally = process.name, process.tally
    out.add(UP, int(process.state == "up"), name)
    out.add_states(STATE, STATES, process.state, name)
    out.add(INCARNATION, process.incarnation, name)
    out.add(RESTARTS, process.restarts, name)
    for cause, number in sorted(tally.exits.items()):
        out.add(EXITS, number, name, cause)
    out.add(FAILURES, tally.failures, name)
    out.add(HANGS, tally.hangs, name)
    out.add(THRASHES, tally.thrashes, name)
    out.add(FAULTS, tally.faults, name)
    _add_histogram(out, DOWNTIME, tally.downtime, name)
    _add_histogram(out, READY, tally.ready, name)
    if process.heart is not None:
        out.add(HEARTBEATS, process.heart.asked, name)
        out.add(MISSED, process.heart.missed, name)
        out.add(LATENCY, process.heart.seconds, name)


def _add_histogram(out: Exposition, family: Family, histogram: Histogram, name: str) -> None:
    out.add_histogram(family, SECONDS, histogram.buckets, histogram.total, name)


def _add_use(out: Exposition, process: ProcessSample) -> None:
    used = process.usage
    if used is None:
        return
    out.add(CPU, used.cpu_seconds, process.name)
    out.add(RESIDENT, used.resident_bytes, process.name)
    out.add(VIRTUAL, used.virtual_bytes, process.name)
    out.add(FDS, used.open_fds, process.name)
    out.add(THREADS, used.threads, process.name)


def _add_calls(out: Exposition, process: ProcessSample) -> None:
    stats = process.stats
    if stats is None:
        return
    for call in stats.rpcs:
        service, _, method = call.method.lstrip("/").rpartition("/")
        out.add(HANDLED, call.handled, process.name, service, method, call.code)
        out.add(HANDLING, call.nanoseconds / 1e9, process.name, service, method, call.code)
    out.add(IN_FLIGHT, stats.rpcs_in_flight, process.name)
    out.add(DROPPED, stats.log_dropped, process.name)


def message(sample: Sample, names: Sequence[str] = ()) -> pb.MetricsReply:
    """The sample as Supervisor.Metrics answers it; all processes without `names`."""
    return pb.MetricsReply(
        monotonic_ns=sample.monotonic_ns,
        processes=[_process(p) for p in sample.processes if not names or p.name in names],
        supervisor=pb.SupervisorMetrics(
            events=sum(sample.events.values()),
            journal_errors=sample.journal_errors,
            alarms=sample.alarms,
            watchers=sample.watchers,
            watchers_cut=sample.watchers_cut,
        ),
    )


def _process(process: ProcessSample) -> pb.ProcessMetrics:
    tally = process.tally
    reply = pb.ProcessMetrics(
        name=process.name,
        executable=process.executable,
        state=process.state,
        pid=process.pid,
        incarnation=process.incarnation,
        restarts=process.restarts,
        exits=tally.exits,
        failures=tally.failures,
        hangs=tally.hangs,
        thrashes=tally.thrashes,
        downtime_seconds=tally.downtime.total,
        downtimes=tally.downtime.count,
        ready_seconds=tally.ready_seconds,
    )
    if (heart := process.heart) is not None:
        reply.heartbeats, reply.heartbeats_missed = heart.asked, heart.missed
        reply.heartbeat_seconds, reply.heartbeat_ns = heart.seconds, heart.seen_ns
    if (used := process.usage) is not None:
        reply.cpu_seconds, reply.threads = used.cpu_seconds, used.threads
        reply.resident_bytes, reply.virtual_bytes = used.resident_bytes, used.virtual_bytes
        reply.open_fds, reply.started_ns = used.open_fds, used.started_ns
    if (stats := process.stats) is not None:
        reply.log_dropped, reply.rpcs_in_flight = stats.log_dropped, stats.rpcs_in_flight
        for call in stats.rpcs:
            seconds = call.nanoseconds / 1e9
            reply.rpcs.add(
                method=call.method, code=call.code, handled=call.handled, seconds=seconds
            )
    return reply

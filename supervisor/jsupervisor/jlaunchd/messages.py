"""What goes into the supervisor's core and what comes out of it: frozen, comparable, loggable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Plan


class How(Enum):
    """How a restart is asked for, in Junos' words."""

    GRACEFULLY = "gracefully"
    IMMEDIATELY = "immediately"
    SOFT = "soft"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment: CLOCK_MONOTONIC in seconds, and the same in UTC as RFC 3339."""

    monotonic: float
    utc: str


# -- in -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """A process that init knows from an earlier jlaunchd, with that one's record of it."""

    name: str
    incarnation: int
    phase: str
    pid: int
    ready: bool
    record: Mapping[str, Json] | None
    aside: bool
    ready_at: float | None = None
    """When it said ready, by its own stamp in seconds, if init knows."""
    standing: int = 0
    """The incarnation that init has a standing order for, by the plan in force; 0: none."""


@dataclass(frozen=True, slots=True)
class StartAll:
    """Everything known is adopted: start what is missing."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A forked process became the module."""

    name: str
    incarnation: int
    pid: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A module reached a stage of its start; `at` is its own stamp in seconds."""

    name: str
    incarnation: int
    stage: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """init reaped a module."""

    name: str
    incarnation: int
    pid: int
    cause: str
    at: float
    notice: int
    successor: int = 0
    """The incarnation that init has started at once, by a standing order; 0: none."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Nobody claimed a reservation."""

    name: str
    incarnation: int
    notice: int


@dataclass(frozen=True, slots=True)
class HeartbeatLost:
    """A module missed its heartbeats."""

    name: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class StartRequested:
    """An operator wants a module up."""

    name: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """An operator wants a module down."""

    name: str
    how: How = How.GRACEFULLY


@dataclass(frozen=True, slots=True)
class RestartRequested:
    """An operator wants a module replaced, or its configuration read again."""

    name: str
    how: How


@dataclass(frozen=True, slots=True)
class ClearRequested:
    """An operator takes faults back: the module goes on if it was stopped, and its failures are forgotten."""

    name: str


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """Another plan is in force. Nothing that both know is restarted."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class StopAll:
    """The instance stops."""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The time that the core asked to be woken at has come."""


Event = (
    Adopt | StartAll | Claimed | Reported | Exited | Expired | HeartbeatLost
    | StartRequested | StopRequested | RestartRequested | ClearRequested | PlanChanged
    | StopAll | DeadlineReached
)  # fmt: skip


# -- out ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Launch:
    """Reserve the incarnation with its record, and have it forked."""

    name: str
    incarnation: int
    record: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Have init send a signal; `ordered` says why, for the report of the death."""

    name: str
    incarnation: int
    signal: int
    ordered: str


@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Have init keep the record, and with it a standing order or none."""

    name: str
    incarnation: int
    record: Mapping[str, Json]
    standing: int = 0
    """The incarnation that init is to start by itself when this one fails; 0: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Write an event record."""

    name: str
    event: str
    incarnation: int
    cause: str = ""
    at: float
    downtime_ms: float | None = None
    attempt: int = 0
    next: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """Log in Junos' words; severity as of jprotos.eventd.v1, lower case."""

    severity: str
    tag: str
    text: str


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Keep an alarm raised for this module."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """Clear this module's alarm."""

    name: str


@dataclass(frozen=True, slots=True)
class Forget:
    """It has left the plan and is down: init need not know it any more."""

    name: str


@dataclass(frozen=True, slots=True)
class FailOver:
    """A module failed too often, and its policy is to fail over: `kind` is the hook to call."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class AllStopped:
    """Every module is down, as StopAll asked."""


Command = (
    Launch | SendSignal | SaveRecord | Emit | LogLine | RaiseAlarm | ClearAlarm
    | Forget | FailOver | AllStopped
)  # fmt: skip

"""The life of one module: its states, and which event leads where.

Everything that may change a module's state stands in this table. Guards do not: the restart policy
is asked first, and its verdict is the event (Forgiven or Condemned). An event without a cell is a
bug in the caller and leaves the state alone.

A requested stop or restart is not a failure, whatever the exit code, nor is one that a group's
strategy asks for. A hang or a start that takes too long is: the process is made to dump its stacks
and killed (KILLING), and its exit is then judged like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class State(Enum):
    """States of a module; the value is what an operator sees."""

    DOWN = "down"
    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"
    KILLING = "killing"
    BACKOFF = "backoff"
    FAILED = "failed"

    @property
    def shown(self) -> str:
        """The word of `status`: one of down, starting, up, stopping, backoff, failed."""
        return "stopping" if self is State.KILLING else self.value


@dataclass(frozen=True, slots=True)
class Start:
    """It is to run, and what it requires is ready."""


@dataclass(frozen=True, slots=True)
class Ready:
    """It has said ready."""


@dataclass(frozen=True, slots=True)
class Stop:
    """It is to be stopped, by request."""


@dataclass(frozen=True, slots=True)
class Restart:
    """It is to be replaced, by request."""


@dataclass(frozen=True, slots=True)
class Hung:
    """It missed its heartbeats, or its deadline to become ready."""


@dataclass(frozen=True, slots=True)
class StopLate:
    """It did not stop in time."""


@dataclass(frozen=True, slots=True)
class Ended:
    """It is gone, as was asked, or as its restart type allows."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """It is gone, as was asked, and its successor is to start."""


@dataclass(frozen=True, slots=True)
class Forgiven:
    """It failed and is to be started again, after a delay in seconds."""

    delay: float


@dataclass(frozen=True, slots=True)
class Condemned:
    """It failed too often, or the group that it stands in did."""


@dataclass(frozen=True, slots=True)
class BackoffOver:
    """The delay has passed."""


Event = (
    Start | Ready | Stop | Restart | Hung | StopLate
    | Ended | Replaced | Forgiven | Condemned | BackoffOver
)  # fmt: skip

_GONE: Final[Mapping[type[object], State]] = {
    Ended: State.DOWN,
    Forgiven: State.BACKOFF,
    Condemned: State.FAILED,
}

TRANSITIONS: Final[Mapping[State, Mapping[type[object], State]]] = {
    State.DOWN: {Start: State.STARTING, Stop: State.DOWN, Condemned: State.FAILED},
    State.STARTING: {
        **_GONE,
        Ready: State.UP,
        Stop: State.STOPPING,
        Restart: State.STOPPING,
        Hung: State.KILLING,
    },
    State.UP: {
        **_GONE,
        Stop: State.STOPPING,
        Restart: State.STOPPING,
        Hung: State.KILLING,
    },
    State.STOPPING: {
        Ended: State.DOWN,
        Replaced: State.STARTING,
        Condemned: State.FAILED,  # it stood in a group that was given up
        Stop: State.STOPPING,
        Restart: State.STOPPING,
        StopLate: State.STOPPING,
        Ready: State.STOPPING,  # it was about to say so when it was asked to stop
        Hung: State.STOPPING,
    },
    State.KILLING: {
        **_GONE,
        Stop: State.STOPPING,
        Restart: State.STOPPING,
        Ready: State.KILLING,
        Hung: State.KILLING,
    },
    State.BACKOFF: {
        BackoffOver: State.STARTING,
        Start: State.STARTING,
        Restart: State.STARTING,
        Stop: State.DOWN,
        Condemned: State.FAILED,
    },
    State.FAILED: {Start: State.STARTING, Restart: State.STARTING, Stop: State.DOWN},
}

"""What the supervisor knows of one module, and the record of it that survives the supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.plan import Program
from jsupervisor.runtime.names import daemon_name


@dataclass(slots=True)
class Module:
    """One module's life so far."""

    program: Program
    state: State = State.DOWN
    wanted: bool = True
    incarnation: int = 0
    pid: int = 0
    failures: tuple[float, ...] = ()
    restarts: int = 0
    last_cause: str = ""
    ready_at: str = ""
    deadline: float | None = None
    down_since: float | None = None
    counted: int = 0
    """The last notice of init's that this record has taken into account."""
    replacing: str = ""
    """Why it is leaving, when it is not for good: a way to restart, or group:NAME, follow:NAME, hold."""
    how: str = "gracefully"
    """How it is made to leave."""
    streak: int = 0
    """Failures in a row without a healthy run."""
    up_since: float | None = None
    """When it became ready, in seconds; None once it has failed."""
    escalations: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """When it made a group pass its failures on, by the group that they were passed to."""
    told_of_waiting: bool = False
    """Was it said that what it requires is not there?"""
    removed: bool = False
    """It has left the plan, and is forgotten when it is down."""
    killed_for: str = ""
    """Why we killed it: "hang" or "start-timeout"."""
    standing: int = 0
    """The incarnation that init has a standing order to start when this one fails; 0: none."""
    stands_at: float | None = None
    """When such an order may be given, if nothing else happens."""
    adopted_gone: bool = field(default=False)

    @property
    def name(self) -> str:
        """Its unique name."""
        return self.program.name

    @property
    def cli_name(self) -> str:
        """Its name in Junos' log lines."""
        return daemon_name(self.program.executable).cli_name

    @property
    def thrashing(self) -> str:
        """What log and alarm say when it is given up."""
        return f"{self.cli_name} is thrashing, not restarted"

    def record(self) -> dict[str, Json]:
        """What init keeps for the next jlaunchd."""
        return {
            "wanted": self.wanted,
            "failures": list(self.failures),
            "restarts": self.restarts,
            "last_cause": self.last_cause,
            "ready_at": self.ready_at,
            "down_since": self.down_since,
            "counted": self.counted,
            "replacing": self.replacing,
            "how": self.how,
            "streak": self.streak,
            "up_since": self.up_since,
            "escalations": {group: list(times) for group, times in self.escalations.items()},
            "killed_for": self.killed_for,
            "state": self.state.value,
            "deadline": self.deadline,
        }

    def restore(self, record: Mapping[str, Json]) -> None:
        """Take over an earlier record; raises KeyError, TypeError or ValueError for a bad one."""
        self.wanted = bool(record["wanted"])
        self.failures = _times(record["failures"])
        self.restarts = int(_seconds(record["restarts"]))
        self.last_cause = str(record["last_cause"])
        self.ready_at = str(record["ready_at"])
        self.down_since = _optional(record["down_since"])
        self.counted = int(_seconds(record["counted"]))
        self.replacing = str(record["replacing"])
        self.how = str(record["how"])
        self.streak = int(_seconds(record["streak"]))
        self.up_since = _optional(record["up_since"])
        escalations = record["escalations"]
        if not isinstance(escalations, dict):
            raise TypeError("escalations is not an object")
        self.escalations = {group: _times(times) for group, times in escalations.items()}
        self.killed_for = str(record["killed_for"])
        self.state = State(record["state"])
        self.deadline = _optional(record["deadline"])


def _seconds(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _times(value: Json) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list of times")
    return tuple(_seconds(time) for time in value)


def _optional(value: Json) -> float | None:
    return None if value is None else _seconds(value)

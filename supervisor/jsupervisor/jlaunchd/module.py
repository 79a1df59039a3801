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
    """What a requested restart is called, while it is under way."""
    killed_for: str = ""
    """Why we killed it: "hang" or "start-timeout"."""
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
            "killed_for": self.killed_for,
            "state": self.state.value,
            "deadline": self.deadline,
        }

    def restore(self, record: Mapping[str, Json]) -> None:
        """Take over an earlier record; raises KeyError, TypeError or ValueError for a bad one."""
        failures = record["failures"]
        if not isinstance(failures, list):
            raise TypeError("failures is not a list")
        self.wanted = bool(record["wanted"])
        self.failures = tuple(_seconds(time) for time in failures)
        self.restarts = int(_seconds(record["restarts"]))
        self.last_cause = str(record["last_cause"])
        self.ready_at = str(record["ready_at"])
        self.down_since = _optional(record["down_since"])
        self.counted = int(_seconds(record["counted"]))
        self.replacing = str(record["replacing"])
        self.killed_for = str(record["killed_for"])
        self.state = State(record["state"])
        self.deadline = _optional(record["deadline"])


def _seconds(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _optional(value: Json) -> float | None:
    return None if value is None else _seconds(value)

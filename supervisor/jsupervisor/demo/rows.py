"""One row for each fault, and the verdict over all of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from jsupervisor.initproto import Json

ENGINE_PREFIX: Final = "pfe"
ENGINE_CONTROL_PREFIX: Final = "pfectl"


class Verdict(Enum):
    """Did the faults stay where they were put?"""

    ISOLATED = "isolated"
    DISTURBED = "disturbed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one fault did to its victim, and to everybody else."""

    module: str
    fault: str
    detected_ms: float | None
    ready_ms: float | None
    offered: int
    lost: int
    """Packets that the router lost; those that kernel or sink dropped do not count here."""
    socket_dropped: int
    others_restarted: int
    rpc_sessions_dropped: int
    outage_ms_by_loss: float
    outage_ms_by_gap: float
    problems: tuple[str, ...] = ()
    """What went wrong with the experiment or the recovery itself, one line each."""
    disturbances: tuple[str, ...] = ()
    """Who else was hit, one line each."""

    @property
    def disturbed(self) -> bool:
        """Did anybody but the victim notice? An engine's own death may cost packets."""
        forwards = is_engine(self.module)
        return bool(
            self.others_restarted or self.rpc_sessions_dropped or (self.lost and not forwards)
        )

    @property
    def failed(self) -> bool:
        """Is the row no valid result: no effect, no recovery, or another state than before?"""
        return self.ready_ms is None or bool(self.problems)

    def to_json(self) -> dict[str, Json]:
        """The row of `jsupervisor demo --json`."""
        return {
            "module": self.module,
            "fault": self.fault,
            "detected_ms": self.detected_ms,
            "ready_ms": self.ready_ms,
            "offered": self.offered,
            "lost": self.lost,
            "socket_dropped": self.socket_dropped,
            "others_restarted": self.others_restarted,
            "rpc_sessions_dropped": self.rpc_sessions_dropped,
            "outage_ms_by_loss": round(self.outage_ms_by_loss, 3),
            "outage_ms_by_gap": round(self.outage_ms_by_gap, 3),
        }


def is_engine(module: str) -> bool:
    """Is it a packet engine (pfe0), not its control process (pfectl0)?"""
    return module.startswith(ENGINE_PREFIX) and not module.startswith(ENGINE_CONTROL_PREFIX)


def verdict(rows: Sequence[Row]) -> Verdict:
    """Disturbed as soon as one row is."""
    return Verdict.DISTURBED if any(row.disturbed for row in rows) else Verdict.ISOLATED


def exit_code(rows: Sequence[Row], expected: Verdict) -> int:
    """0 when the verdict is the expected one and every row is a result; else 1."""
    if not rows or any(row.failed for row in rows):
        return 1
    return 0 if verdict(rows) is expected else 1

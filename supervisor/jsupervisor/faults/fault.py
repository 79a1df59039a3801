"""What a fault is: its kind, and how an observer can tell that it took effect.

A fault that was sent and did nothing is the worst result of an experiment, because everything looks
healthy afterwards. So each fault brings its own proof, judged from /proc and from the exit status
that init reaped; without proof a report says `effective: false`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jsupervisor.observer.processes import Sample


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of the victim some time after the fault was sent."""

    pid: int
    before: Sample
    now: Sample
    exit_cause: str
    """`signal:SIGKILL`, `exit:17`; empty while init has not said so."""
    channels: tuple[str, ...] = ()
    """What each thread waits in, the main thread first."""
    still_seconds: float = 0.0
    """How long the main thread has not had a turn."""


Evidence = Callable[[Observation], str]
"""One line that proves the effect; empty while there is no proof yet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault."""

    kind: str
    summary: str
    evidence: Evidence
    ends: bool = True
    """Does it end the process by itself? If not, the supervisor must notice and kill it."""


def died_of(*causes: str) -> Evidence:
    """Proof for a fault that ends the process with one of these exit causes."""

    def evidence(observation: Observation) -> str:
        if observation.now.alive or observation.exit_cause not in causes:
            return ""
        return f"pid {observation.pid} is gone, {observation.exit_cause}"

    return evidence


def burns(seconds: float) -> Evidence:
    """Proof for a fault that keeps the process busy: its CPU time grew by so much."""

    def evidence(observation: Observation) -> str:
        used = observation.now.cpu_seconds - observation.before.cpu_seconds
        if not observation.now.alive or used < seconds:
            return ""
        return f"pid {observation.pid} used {used:.2f} s of CPU since"

    return evidence

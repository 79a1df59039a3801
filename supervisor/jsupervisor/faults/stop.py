"""`stop`: the process stands still and stays (SIGSTOP); only its missing heartbeats tell."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, Observation


def evidence(observation: Observation) -> str:
    """The kernel shows the process as stopped."""
    if observation.now.state not in ("T", "t"):
        return ""
    return f"pid {observation.pid} is in state {observation.now.state} (stopped)"


FAULT = Fault("stop", "SIGSTOP: stands still", evidence, ends=False)

"""`block-pool`: every thread that serves RPCs waits for something that never comes; the loop goes on."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, Observation


def evidence(observation: Observation) -> str:
    """Threads wait in a pipe, where nothing else of a module ever waits."""
    waiting = sum("pipe_read" in channel for channel in observation.channels)
    if not observation.now.alive or not waiting:
        return ""
    return f"{waiting} threads of pid {observation.pid} wait in a pipe that nobody writes to"


FAULT = Fault("block-pool", "all threads that serve RPCs wait for ever", evidence, ends=False)

"""`deadlock`: the module's loop waits for a lock that it holds itself; its other threads go on."""

from __future__ import annotations

from typing import Final

from jsupervisor.faults.fault import Fault, Observation

STILL_SECONDS: Final = 0.1


def evidence(observation: Observation) -> str:
    """The main thread waits for a lock and has not had a turn for a while."""
    channel = observation.channels[0] if observation.channels else ""
    still = observation.still_seconds
    if not observation.now.alive or "futex" not in channel or still < STILL_SECONDS:
        return ""
    return f"pid {observation.pid} has waited for a lock for {still:.2f} s ({channel})"


FAULT = Fault("deadlock", "the loop waits for a lock that it holds", evidence, ends=False)

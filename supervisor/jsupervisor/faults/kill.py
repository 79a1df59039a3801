"""`kill`: the process ends at once and cannot object (SIGKILL)."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, died_of

FAULT = Fault("kill", "SIGKILL: gone at once", died_of("signal:SIGKILL"))

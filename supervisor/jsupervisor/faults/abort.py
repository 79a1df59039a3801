"""`abort`: the process ends as if it had given up on itself (SIGABRT)."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, died_of

FAULT = Fault("abort", "SIGABRT: a failed assertion in C", died_of("signal:SIGABRT"))

"""`segv`: the process ends as if it had touched memory that is not its own (SIGSEGV)."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, died_of

FAULT = Fault("segv", "SIGSEGV: a bad pointer", died_of("signal:SIGSEGV"))

"""`spin-c`: a busy loop in C that holds the interpreter: no Python thread of the module runs."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, burns

FAULT = Fault("spin-c", "a busy loop in C: no other thread runs", burns(0.1), ends=False)

"""`spin`: the module's event loop turns in a pure-Python busy loop for ever."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, burns

FAULT = Fault("spin", "a busy loop in Python: other threads still run", burns(0.1), ends=False)

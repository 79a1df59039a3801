"""`exception`: an exception that nobody catches ends the process."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, died_of

FAULT = Fault("exception", "an exception that nobody catches", died_of("exit:1"))

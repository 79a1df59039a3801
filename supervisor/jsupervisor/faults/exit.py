"""`exit:N`: the process leaves with status N, without a word to anybody."""

from __future__ import annotations

from jsupervisor.faults.fault import Fault, died_of


def fault(status: int) -> Fault:
    """The fault `exit:status`, 0 to 255; raises ValueError."""
    if not 0 <= status <= 255:
        raise ValueError(f"cannot inject exit:{status}: an exit status lies between 0 and 255")
    return Fault(f"exit:{status}", f"leaves with status {status}", died_of(f"exit:{status}"))

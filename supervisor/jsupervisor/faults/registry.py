"""All faults by kind. A new fault is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jsupervisor.faults import (
    abort,
    block_pool,
    deadlock,
    exception,
    kill,
    segv,
    spin,
    spin_c,
    stop,
)
from jsupervisor.faults import exit as leave
from jsupervisor.faults.fault import Fault

FAULTS: Final[Mapping[str, Fault]] = {
    fault.kind: fault
    for fault in (
        kill.FAULT,
        segv.FAULT,
        abort.FAULT,
        exception.FAULT,
        stop.FAULT,
        spin.FAULT,
        spin_c.FAULT,
        deadlock.FAULT,
        block_pool.FAULT,
    )
}
KINDS: Final = (*FAULTS, "exit:N")


def parse(kind: str) -> Fault:
    """The fault of that kind; raises ValueError that lists the kinds there are."""
    if kind in FAULTS:
        return FAULTS[kind]
    name, _, number = kind.partition(":")
    if name == "exit" and number.isdigit():
        return leave.fault(int(number))
    raise ValueError(f"cannot inject {kind!r}: the kinds are {', '.join(KINDS)}")

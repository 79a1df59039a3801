"""What a granted process runs: the lean or the full runtime, each imported only in its own stage."""

from __future__ import annotations

from collections.abc import Callable

from jsupervisor.initproto import Connection
from jsupervisor.launcher.child import NOT_GRANTED, Order, Runner, claim
from jsupervisor.launcher.spare import is_spare, wait
from jsupervisor.phases import stamps_of
from jsupervisor.runtime.crash import STDERR, CrashTrace


def lean_runner(order: Order, connection: Connection) -> int:
    """Run a lean module to its end; its exit code."""
    from jsupervisor.runtime.lean import run_lean
    from jsupervisor.runtime.order import Order as RuntimeOrder

    if is_spare(order) and not wait(order, connection, claim):
        return NOT_GRANTED
    return run_lean(RuntimeOrder.from_json(order), connection, trace_of(order), stamps_of(order))


def full_runner(order: Order, connection: Connection) -> int:
    """Run a daemon to its end; its exit code."""
    from jsupervisor.runtime.order import Order as RuntimeOrder
    from jsupervisor.runtime.process import run_full

    order_, trace, stamps = RuntimeOrder.from_json(order), trace_of(order), stamps_of(order)
    return run_full(order_, connection, trace, stamps, waits=is_spare(order))


def trace_of(order: Order) -> CrashTrace:
    """The crash trace that the start protocol has opened; stderr without one."""
    fd = order.get("trace")
    return CrashTrace(fd if isinstance(fd, int) else STDERR)


def runner_of(stage: str) -> Runner:
    """The runner of a stage, "lean" or "full"."""
    return lean_runner if stage == "lean" else full_runner


def warmer_of(stage: str) -> Callable[[], None]:
    """What a blank of a stage does ahead."""
    return _nothing if stage == "lean" else _warm_full


def _nothing() -> None:
    """The lean runtime has nothing that is slow the first time."""


def _warm_full() -> None:
    from jsupervisor.runtime.warmth import run_loop_once

    run_loop_once()

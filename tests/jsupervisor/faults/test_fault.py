"""Evidence: what proves that a fault took effect, and what does not."""

from __future__ import annotations

import pytest

from jsupervisor.faults.fault import Observation
from jsupervisor.faults.registry import parse
from jsupervisor.observer.processes import GONE, Sample

BEFORE = Sample("S", 1.0)
DEAD = Sample(GONE, 0.0)


def evidence(kind: str, now: Sample, cause: str = "") -> str:
    return parse(kind).evidence(Observation(42, BEFORE, now, cause))


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("kill", "signal:SIGKILL"),
        ("segv", "signal:SIGSEGV"),
        ("abort", "signal:SIGABRT"),
        ("exit:17", "exit:17"),
        ("exception", "exit:1"),
    ],
)
def test_an_end_of_the_right_cause_is_proof(kind: str, cause: str) -> None:
    assert f"pid 42 is gone, {cause}" == evidence(kind, DEAD, cause)


@pytest.mark.parametrize("kind", ["kill", "segv", "abort", "exit:17", "exception"])
def test_neither_an_end_of_another_cause_nor_life_is_proof(kind: str) -> None:
    assert "" == evidence(kind, DEAD, "exit:99")
    assert "" == evidence(kind, DEAD, "")
    assert "" == evidence(kind, BEFORE)


def test_only_a_stopped_process_has_been_stopped() -> None:
    assert "pid 42 is in state T (stopped)" == evidence("stop", Sample("T", 1.0))
    assert "" == evidence("stop", Sample("S", 1.0))
    assert "" == evidence("stop", DEAD, "signal:SIGKILL")


@pytest.mark.parametrize("kind", ["spin", "spin-c"])
def test_a_busy_loop_shows_in_cpu_time(kind: str) -> None:
    assert "pid 42 used 0.25 s of CPU since" == evidence(kind, Sample("R", 1.25))
    assert "" == evidence(kind, Sample("R", 1.05))
    assert "" == evidence(kind, DEAD, "signal:SIGKILL")


def threads(kind: str, *channels: str, still: float = 0.0, now: Sample = BEFORE) -> str:
    return parse(kind).evidence(Observation(42, BEFORE, now, "", channels, still))


def test_a_loop_is_deadlocked_that_has_waited_for_a_lock_for_a_while() -> None:
    proof = "pid 42 has waited for a lock for 0.25 s (futex_do_wait)"

    assert proof == threads("deadlock", "futex_do_wait", "ep_poll", still=0.25)
    assert "" == threads("deadlock", "futex_do_wait", still=0.05)
    assert "" == threads("deadlock", "ep_poll", "futex_do_wait", still=0.25)
    assert "" == threads("deadlock", still=0.25)
    assert "" == threads("deadlock", "futex_do_wait", still=0.25, now=DEAD)


def test_a_pool_is_blocked_whose_threads_wait_in_a_pipe() -> None:
    proof = "2 threads of pid 42 wait in a pipe that nobody writes to"

    assert proof == threads("block-pool", "ep_poll", "anon_pipe_read", "anon_pipe_read")
    assert "" == threads("block-pool", "ep_poll", "futex_do_wait", "")
    assert "" == threads("block-pool", "anon_pipe_read", now=DEAD)

"""Waits for a processor: what was waited, what still is, and of whom nothing is known."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsupervisor.waiting import Threads, Turns, Waiting, threads_of

SLEEPING = Turns(ran_ns=5, waited_ns=7, runnable=False)


def one(ran: int, waited_ms: float, runnable: bool) -> Threads:
    """A process with one thread."""
    return Threads({1: Turns(ran, int(waited_ms * 1e6), runnable)})


def test_what_was_waited_since_the_look_before_counts_once() -> None:
    waiting = Waiting(one(0, 1000, False), 10.0)
    noted = [
        waiting.note(one(5, 1050, False), 10.2),
        waiting.note(one(5, 1050, False), 10.4),
        waiting.note(one(9, 1150, True), 10.6),
    ]

    assert [0.05, 0.0, 0.1] == pytest.approx(noted)


def test_a_wait_that_still_lasts_counts() -> None:
    waiting = Waiting(one(5, 0, True), 0.0)

    assert [0.2, 0.2] == pytest.approx([waiting.note(one(5, 0, True), at) for at in (0.2, 0.4)])


def test_a_wait_that_was_counted_while_it_lasted_is_not_counted_again_at_its_end() -> None:
    waiting = Waiting(one(5, 0, True), 0.0)
    noted = [waiting.note(one(5, 0, True), at) for at in (0.2, 0.4)]
    noted.append(waiting.note(one(6, 450, False), 0.6))

    assert [0.2, 0.2, 0.05] == pytest.approx(noted)


def test_a_thread_that_runs_all_the_time_waits_for_nothing() -> None:
    waiting = Waiting(one(100, 0, True), 0.0)

    assert 0.0 == waiting.note(one(200, 0, True), 0.2)


def test_a_busy_loop_that_has_half_a_processor_waits_half_the_time() -> None:
    ms = 1_000_000
    busy, starved = Turns(0, 0, True), Turns(0, 0, True)
    waiting = Waiting(Threads({1: busy, 2: starved}), 0.0)
    then = Threads({1: Turns(100 * ms, 100 * ms, True), 2: starved})

    assert (0.1, 0.1) == pytest.approx((waiting.note(then, 0.2), waiting.ran))


def test_no_more_is_waited_than_time_has_passed() -> None:
    before = Threads({n: Turns(0, 0, True) for n in range(5)})
    waiting = Waiting(before, 0.0)

    assert 0.25 == waiting.note(before, 0.25)


def test_the_waits_of_all_threads_count_and_of_new_ones_from_now_on() -> None:
    waiting = Waiting(Threads({1: Turns(0, 0, False), 2: Turns(0, 0, False)}), 0.0)
    ms = 1_000_000
    then = Threads({2: Turns(1, 20 * ms, False), 3: Turns(1, 999 * ms, False)})
    later = Threads({2: Turns(2, 30 * ms, False), 3: Turns(2, 1_004 * ms, False)})

    assert [0.02, 0.015] == pytest.approx([waiting.note(then, 0.5), waiting.note(later, 1.0)])


def test_a_stopped_process_waits_for_nothing() -> None:
    before = one(5, 0, True)
    waiting = Waiting(before, 0.0)

    assert 0.0 == waiting.note(Threads(before.turns, stopped=True), 0.2)


def test_a_clock_that_stands_still_makes_no_wait() -> None:
    waiting = Waiting(one(0, 0, True), 5.0)

    assert 0.0 == waiting.note(one(0, 0, True), 5.0)


turns = st.builds(Turns, st.integers(0, 10**10), st.integers(0, 10**10), st.booleans())
threads = st.builds(Threads, st.dictionaries(st.integers(1, 4), turns), st.booleans())


@settings(deadline=None)
@given(threads, st.lists(st.tuples(threads, st.floats(0.0, 5.0)), max_size=10))
def test_whatever_the_kernel_says_a_wait_lies_between_nothing_and_the_time_passed(
    first: Threads, looks: list[tuple[Threads, float]]
) -> None:
    now = 0.0
    waiting = Waiting(first, now)
    for look, seconds in looks:
        now += seconds

        assert 0.0 <= waiting.note(look, now) <= seconds + 1e-9


def test_the_threads_of_a_living_process_are_seen() -> None:
    seen = threads_of(os.getpid())

    assert os.getpid() in seen.turns
    assert not seen.stopped


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    assert Threads({}) == threads_of(2**22 + 1)


def test_a_stopped_process_is_seen_to_be_stopped() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)

        assert threads_of(process.pid).stopped
    finally:
        process.kill()
        process.wait()


@pytest.mark.system
def test_two_busy_processes_on_one_processor_wait_for_each_other() -> None:
    code = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\nwhile 1: pass"
    busy = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    try:
        while any(not _ran(process.pid) for process in busy):
            time.sleep(0.01)
        waiting = Waiting(threads_of(busy[0].pid), time.monotonic())
        waited = 0.0
        while waited < 0.1:  # the test's own limit ends what never happens
            time.sleep(0.02)
            waited += waiting.note(threads_of(busy[0].pid), time.monotonic())
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _ran(pid: int) -> bool:
    return any(turns.ran_ns > 50_000_000 for turns in threads_of(pid).turns.values())

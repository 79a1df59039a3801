"""What the kernel tells is read right; whoever is gone costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from bench.supervisors import procfs


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input('.')", "index=7,ready=none,mark=test-procfs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)  # its command line can be read a moment after it was executed
        yield process
        process.kill()


def test_wake_ups_and_processor_time_are_read() -> None:
    assert 42 == procfs.voluntary_switches("Name:\tx\nvoluntary_ctxt_switches:\t42\n")
    assert 0 == procfs.voluntary_switches("")
    assert 1.5 == procfs.cpu_seconds("1500000000 7 3\n")
    assert 0.0 == procfs.cpu_seconds("")


def test_this_process_has_cost_something() -> None:
    found = procfs.between({}, procfs.costs([os.getpid()]))

    assert found.cpu_seconds > 0
    assert procfs.proportional_mb([os.getpid()]) > 1


def test_a_thread_that_ended_takes_nothing_back() -> None:
    before = {1: procfs.Cost(100, 1.0), 2: procfs.Cost(5, 1.0)}
    after = {2: procfs.Cost(8, 1.5), 3: procfs.Cost(1, 0.25)}

    assert procfs.Cost(4, 0.75) == procfs.between(before, after)


def test_who_is_gone_costs_nothing() -> None:
    assert {} == procfs.costs([2**22 + 1])
    assert 0.0 == procfs.proportional_mb([2**22 + 1])
    assert "" == procfs.command_line(2**22 + 1)


def test_the_programs_of_a_run_are_found_by_their_mark(sleeper: subprocess.Popen[bytes]) -> None:
    assert {7: [sleeper.pid]} == procfs.marked("test-procfs")
    assert {} == procfs.marked("test")
    assert sleeper.pid in procfs.tree(os.getpid())


def test_a_dead_child_that_nobody_has_reaped_does_not_live(
    sleeper: subprocess.Popen[bytes],
) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert not procfs.lives(sleeper.pid)
    assert {} == procfs.marked("test-procfs")

"""Processes as /proc shows them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from jsupervisor.observer import processes
from jsupervisor.observer.processes import GONE, ProcessId, Sample

ROLLUP = """\
5587-7ffd ---p 00000000 00:00 0                          [rollup]
Rss:                3456 kB
Pss:                 789 kB
Pss_Dirty:           123 kB
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A child that waits for its standard input to end."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def test_this_process_lives() -> None:
    own = processes.identify(os.getpid())

    assert own is not None
    assert processes.alive(own)
    assert processes.sample(own).cpu_seconds > 0


def test_a_recycled_pid_is_another_process() -> None:
    own = processes.identify(os.getpid())
    assert own is not None
    earlier = ProcessId(own.pid, own.start_time - 1)

    assert not processes.alive(earlier)
    assert Sample(GONE, 0.0) == processes.sample(earlier)


def test_an_unreaped_exit_status_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    child = processes.identify(sleeper.pid)
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert "Z" == processes.sample(child).state
    assert not processes.sample(child).alive
    assert not processes.alive(child)
    sleeper.wait()
    assert None is processes.identify(child.pid) or not processes.alive(child)


def test_a_stopped_process_shows_as_stopped(sleeper: subprocess.Popen[bytes]) -> None:
    child = processes.identify(sleeper.pid)
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)

    assert Sample("T", processes.sample(child).cpu_seconds) == processes.sample(child)


WAITING = """
import os, threading
reader, writer = os.pipe()
threading.Thread(target=os.read, args=(reader, 1), daemon=True).start()
lock = threading.Lock()
lock.acquire()
print(flush=True)
lock.acquire()
"""


def test_what_the_threads_wait_in_is_seen_with_the_main_thread_first() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE) as process,
        ExitStack() as end,
    ):
        end.callback(process.kill)
        assert process.stdout is not None
        process.stdout.readline()
        found = processes.identify(process.pid)
        assert found is not None
        while True:  # the test's own limit ends what never happens
            channels = processes.wait_channels(found)
            if len(channels) == 2 and "futex" in channels[0] and "pipe_read" in channels[1]:
                break
        turns = processes.turns(found)

        assert 0 < turns == processes.turns(found)
        process.kill()
        process.wait()

    assert ((), 0) == (processes.wait_channels(found), processes.turns(found))


def test_descendants_begin_with_the_oldest(sleeper: subprocess.Popen[bytes]) -> None:
    found = [process.pid for process in processes.descendants(os.getpid())]

    assert os.getpid() == found[0]
    assert sleeper.pid in found


def test_nobody_descends_from_a_free_pid(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    sleeper.wait()

    assert [] == processes.descendants(sleeper.pid)


def test_memory_is_read_in_bytes() -> None:
    assert {
        "Rss": 3456 * 1024,
        "Pss": 789 * 1024,
        "Pss_Dirty": 123 * 1024,
    } == processes.parse_rollup(ROLLUP)


def test_memory_of_a_process_that_is_gone_counts_nothing() -> None:
    own = processes.identify(os.getpid())
    assert own is not None

    assert processes.proportional_bytes([own]) > 1_000_000
    assert 0 == processes.proportional_bytes([ProcessId(2**22 + 1, 0)])


def test_memory_files_are_listed_by_name() -> None:
    own = processes.identify(os.getpid())
    assert own is not None
    fd = os.memfd_create("jsup-test-file")
    try:
        assert "jsup-test-file" in processes.memory_files(own)
    finally:
        os.close(fd)

"""What a process uses, seen on real ones."""

from __future__ import annotations

import os
import subprocess
import sys

from jsupervisor.jlaunchd.usage import usage
from jsupervisor.linux import process_stat


def test_this_very_process_is_described() -> None:
    pipes = [os.pipe() for _ in range(20)]
    before = usage(os.getpid())
    for ends in pipes:
        for fd in ends:
            os.close(fd)
    after = usage(os.getpid())
    stat = process_stat(os.getpid())

    assert before is not None and after is not None and stat is not None
    assert 40 == before.open_fds - after.open_fds
    assert len(os.listdir("/proc/self/fd")) - 1 == after.open_fds
    assert stat.start_time == after.start_time
    assert after.cpu_seconds > 0
    assert after.virtual_bytes > after.resident_bytes > 1_000_000
    assert len(os.listdir("/proc/self/task")) == after.threads


def test_a_process_that_is_gone_uses_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert usage(process.pid) is None


def test_a_dead_process_that_nobody_has_reaped_has_no_memory() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    used = usage(process.pid)
    process.wait()

    assert used is not None
    assert (0, 0) == (used.resident_bytes, used.open_fds)


def test_a_name_full_of_brackets_confuses_nobody() -> None:
    command = (
        "import ctypes,sys; ctypes.CDLL(None).prctl(15, b'a) R (b'); print(); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        used = usage(process.pid)
        process.communicate()

    assert used is not None
    assert 1 == used.threads

"""Children of init: a program that dies with its parent, exit statuses in words, use in figures."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jsupervisor.init.children import exit_cause, spawn, used


@pytest.mark.parametrize(
    ("status", "cause"),
    [(0, "exit:0"), (17 << 8, "exit:17"), (9, "signal:SIGKILL"), (11 | 0x80, "signal:SIGSEGV"),
     (60, "signal:60")],
)  # fmt: skip
def test_an_exit_status_has_its_words(status: int, cause: str) -> None:
    assert cause == exit_cause(status)


def test_what_was_used_is_in_seconds_and_kib() -> None:
    with subprocess.Popen([sys.executable, "-c", "sum(range(1000000))"]) as process:
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    found = used(usage)

    assert ["maxrss_kb", "stime", "utime"] == sorted(found)
    assert isinstance(found["utime"], float) and 0 < found["utime"] < 20
    assert isinstance(found["maxrss_kb"], int) and 1000 < found["maxrss_kb"] < 10**6


@pytest.mark.system
def test_a_child_writes_to_its_own_file_and_leads_its_own_session(tmp_path: Path) -> None:
    code = "import os; print(os.getsid(0) == os.getpid(), flush=True); os._exit(3)"
    pid = spawn([sys.executable, "-c", code], str(tmp_path / "stderr"))
    _, status = os.waitpid(pid, 0)

    assert ("exit:3", "True\n") == (exit_cause(status), (tmp_path / "stderr").read_text())


@pytest.mark.system
def test_a_program_that_is_not_there_ends_at_once(tmp_path: Path) -> None:
    pid = spawn(["/nowhere/program"], str(tmp_path / "stderr"))
    _, status = os.waitpid(pid, 0)

    assert "exit:127" == exit_cause(status)


PARENT = """
import time
from jsupervisor.init.children import spawn
print(spawn(["/bin/sleep", "60"], "/dev/null"), flush=True)
time.sleep(60)
"""


@pytest.mark.system
def test_a_child_dies_with_init() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        fd = os.pidfd_open(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    ready, _, _ = select.select([fd], [], [], 20)
    os.close(fd)

    assert [fd] == ready

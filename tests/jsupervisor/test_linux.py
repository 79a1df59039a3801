"""The Linux calls that Python lacks, against the kernel itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from jsupervisor import linux

DIES_WITH_PARENT = """
import os, signal
from jsupervisor import linux
if os.fork() == 0:
    linux.die_with_parent()
    print(os.getpid(), flush=True)
    signal.pause()
    os._exit(1)
os.read(0, 1)
os.kill(os.getpid(), signal.SIGKILL)
"""
ORPHAN = """
import os
from jsupervisor import linux
linux.become_subreaper()
between = os.fork()
if between == 0:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(7)
    os._exit(0)
os.waitpid(between, 0)
pid, status = os.waitpid(-1, 0)
print(os.waitstatus_to_exitcode(status))
"""


def run(program: str, stdin: str = "") -> str:
    """What the program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.strip()


def test_an_orphan_becomes_the_subreapers_child() -> None:
    assert "7" == run(ORPHAN)


def test_a_process_that_dies_with_its_parent_does(capfd: pytest.CaptureFixture[str]) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", DIES_WITH_PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    with parent.stdin, parent.stdout:
        pid = int(parent.stdout.readline())
        pidfd = os.pidfd_open(pid)
        parent.stdin.write(b"x")
        parent.stdin.flush()
        assert -signal.SIGKILL == parent.wait(10)
        # The pipe ends when the last process that holds it is gone.
        assert b"" == parent.stdout.read()
    os.close(pidfd)


def test_the_name_of_a_process_is_cut_to_fifteen_bytes() -> None:
    program = (
        "from jsupervisor import linux; linux.set_process_name('a-name) that (is too long');"
        "print(open('/proc/self/comm').read(), linux.process_stat(__import__('os').getpid()).pid)"
    )

    assert "a-name) that (i" == run(program).splitlines()[0]


def test_a_name_with_brackets_does_not_confuse_the_reading_of_stat() -> None:
    program = (
        "import os; from jsupervisor import linux; linux.set_process_name(') S 1 (x');"
        "print(linux.process_stat(os.getpid()).parent == os.getppid())"
    )

    assert "True" == run(program)


def test_stat_of_this_process() -> None:
    stat = linux.process_stat(os.getpid())

    assert stat is not None
    assert (os.getpid(), "R", os.getppid()) == (stat.pid, stat.state, stat.parent)
    assert 0 < stat.start_time


def test_a_process_that_is_not_there_has_no_stat() -> None:
    assert linux.process_stat(2**22 + 1) is None


def test_children_are_those_of_this_process_alone() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        assert child.pid in linux.children(os.getpid())
        assert [] == linux.children(child.pid)


THREADS = """
import signal, sys, threading
taken = threading.Event()
def take(*_): taken.set()
signal.signal(signal.SIGUSR1, take)
print(flush=True)
taken.wait()
"""


def test_a_processs_own_children_are_those_that_it_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    fast = linux.own_children()

    def no_such_file(*arguments: object) -> None:
        raise FileNotFoundError(2, "No such file")

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", no_such_file)
        patch.setattr(linux, "children", lambda parent: [parent])
        slow = linux.own_children()
    os.waitpid(pid, 0)

    assert pid in fast
    assert [os.getpid()] == slow


def test_a_log_is_opened_to_append(tmp_path: Path) -> None:
    path = tmp_path / "rpd.stderr"
    path.write_text("before\n")
    fd = linux.open_log(str(path))
    os.write(fd, b"after\n")
    os.close(fd)

    assert "before\nafter\n" == path.read_text()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_a_module_has_put_in_a_logs_place_is_not_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rpd.stderr"
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)

    with pytest.raises(OSError):
        linux.open_log(str(path))
    assert not (tmp_path / "elsewhere").exists()


def test_a_signal_for_the_main_thread_reaches_it() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", THREADS], stdout=subprocess.PIPE) as process,
        ExitStack() as end,
    ):
        end.callback(process.kill)
        assert process.stdout is not None
        process.stdout.readline()
        linux.signal_main_thread(process.pid, signal.SIGUSR1)

        assert 0 == process.wait(20)


def test_a_signal_for_nobody_is_an_error() -> None:
    with pytest.raises(ProcessLookupError):
        linux.signal_main_thread(2**22 + 1, signal.SIGUSR1)


def test_a_refused_call_is_an_error() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        linux.prctl(99999, 0)

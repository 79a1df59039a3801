"""A dying process says where it was, also when nothing else of it works any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jsupervisor.linux import signal_main_thread
from jsupervisor.runtime.crash import STDERR, CrashTrace, discard_traces, open_trace, trace_path

DYING = """
import ctypes, os, signal, sys, threading
from collections import deque
from itertools import repeat
from jsupervisor.runtime.crash import STDERR, CrashTrace, discard_traces, open_trace, trace_path
CrashTrace(open_trace(sys.argv[1], "rpd", 7)).enable()
def the_other_one(started):
    started.set()
    threading.Event().wait()
started = threading.Event()
threading.Thread(target=the_other_one, args=(started,), daemon=True).start()
started.wait()
print("up", flush=True)
{body}
"""
SPIN_C = "deque(repeat(None), maxlen=0)"
DEADLOCK = "lock = threading.Lock(); lock.acquire(); lock.acquire()"
SIGNALS = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance's home with its crash folder."""
    (tmp_path / "crash").mkdir()
    return tmp_path


@contextmanager
def running(home: Path, body: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is about to do `body`; it ends with the test, however that ends."""
    argv = [sys.executable, "-c", DYING.format(body=body), str(home)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"up\n" == process.stdout.readline()
            yield process
        finally:
            process.kill()


def die(home: Path, body: str, *signals: signal.Signals) -> tuple[int, str]:
    """The exit code of a process that is sent signals while it does `body`, and its trace."""
    with running(home, body) as process:
        for number in signals:
            process.send_signal(number)
            if number is signal.SIGSTOP:
                os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        process.wait(20)
    return process.returncode, Path(trace_path(str(home), "rpd", 7)).read_text()


@pytest.mark.parametrize("name", SIGNALS)
def test_a_deadly_signal_writes_the_stacks_of_all_threads(home: Path, name: str) -> None:
    code, trace = die(home, f"signal.raise_signal(signal.{name})")

    assert -signal.Signals[name] == code
    assert "the_other_one" in trace
    assert "Current thread" in trace


@pytest.mark.parametrize("body", [SPIN_C, DEADLOCK, "while True: pass"])
def test_a_process_that_hangs_tells_where_when_it_is_aborted(home: Path, body: str) -> None:
    code, trace = die(home, body, signal.SIGABRT)

    assert -signal.SIGABRT == code
    assert "Aborted" in trace
    assert "the_other_one" in trace


def test_a_stopped_process_tells_where_when_it_is_aborted_and_goes_on(home: Path) -> None:
    signals = (signal.SIGSTOP, signal.SIGABRT, signal.SIGCONT)
    code, trace = die(home, "threading.Event().wait()", *signals)

    assert -signal.SIGABRT == code
    assert "the_other_one" in trace


def test_the_main_thread_tells_where_it_is_and_goes_on(home: Path) -> None:
    path = Path(trace_path(str(home), "rpd", 7))
    with running(home, "threading.Event().wait()") as process:
        # It may not be there yet when it is asked first; the test's own limit ends what never happens.
        while "wait\n" not in (told := path.read_text()):
            signal_main_thread(process.pid, signal.SIGUSR2)
            while told == path.read_text():
                pass
        alive = process.poll() is None

    assert alive
    assert path.read_text().startswith("Stack (most recent call first):")
    assert "the_other_one" not in path.read_text()


def test_an_exception_is_told_in_the_trace_and_on_stderr(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = CrashTrace(open_trace(str(home), "rpd", 1))
    try:
        raise ValueError("too much")
    except ValueError as error:
        trace.end_by(error)
    os.close(trace.fd)

    text = Path(trace_path(str(home), "rpd", 1)).read_text()
    assert "ValueError: too much" in text
    assert "Traceback (most recent call last)" in text
    assert "ValueError" in capsys.readouterr().err


def test_a_line_is_told_in_the_trace_and_on_stderr(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = CrashTrace(open_trace(str(home), "rpd", 1))
    trace.end("cannot go on\n")
    os.close(trace.fd)

    assert "cannot go on\n" == Path(trace_path(str(home), "rpd", 1)).read_text()
    assert "cannot go on\n" == capsys.readouterr().err


def test_without_a_place_for_it_the_trace_is_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fd = open_trace(str(tmp_path / "nowhere"), "rpd", 1)
    CrashTrace(fd).end("once")

    assert STDERR == fd
    error = capsys.readouterr().err
    assert error.startswith("cannot keep a crash trace")
    assert 1 == error.count("once")


@pytest.fixture
def full() -> Iterator[int]:
    """A descriptor on a full disk."""
    fd = os.open("/dev/full", os.O_WRONLY)
    yield fd
    os.close(fd)


def test_a_full_disk_loses_the_trace_and_nothing_else(
    full: int, capsys: pytest.CaptureFixture[str]
) -> None:
    CrashTrace(full).end("where it was")

    assert "where it was\n" == capsys.readouterr().err


def test_a_second_claimant_of_the_same_name_takes_nothing_away(home: Path) -> None:
    trace = CrashTrace(open_trace(str(home), "rpd", 1))
    trace.end("first")
    os.close(open_trace(str(home), "rpd", 1))
    os.close(trace.fd)

    assert "first" == Path(trace_path(str(home), "rpd", 1)).read_text()


def test_a_trace_is_for_its_owner_alone(home: Path) -> None:
    os.close(open_trace(str(home), "rpd", 1))

    assert 0o600 == os.stat(trace_path(str(home), "rpd", 1)).st_mode & 0o777


def test_a_new_instance_knows_no_traces(home: Path) -> None:
    os.close(open_trace(str(home), "rpd", 9))
    (home / "crash" / "rpd.core.0").touch()
    discard_traces(str(home))

    assert ["rpd.core.0"] == os.listdir(home / "crash")

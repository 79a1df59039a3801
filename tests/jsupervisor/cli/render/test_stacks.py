"""Stacks for the eye: the thread that was hit first, equal ones once, and nothing lost."""

from __future__ import annotations

from jsupervisor.cli.render.stacks import stacks

TRACE = """\
Fatal Python error: Aborted

Thread 0x00007f66a67fc6c0 (most recent call first):
  File "/usr/lib/python3.11/concurrent/futures/thread.py", line 81 in _worker
  File "/usr/lib/python3.11/threading.py", line 982 in run
  File "/usr/lib/python3.11/threading.py", line 1045 in _bootstrap_inner
  File "/usr/lib/python3.11/threading.py", line 1002 in _bootstrap

Thread 0x00007f66a6ffd6c0 (most recent call first):
  File "/usr/lib/python3.11/concurrent/futures/thread.py", line 81 in _worker
  File "/usr/lib/python3.11/threading.py", line 982 in run

Thread 0x00007f66a7fff6c0 (most recent call first):
  File "/venv/lib/python3.11/site-packages/grpc/_server.py", line 1314 in _serve

Current thread 0x00007f66eb9bab80 (most recent call first):
  File "/src/supervisor/jsupervisor/runtime/process.py", line 43 in run_full
  File "<frozen runpy>", line 88 in _run_code
  <no Python frame>

Extension modules: numpy, grpc (total: 2)
"""
READABLE = """\
Fatal Python error: Aborted

Thread 7f66eb9bab80, the one that was hit:
  jsupervisor/runtime/process.py:43  run_full
  <no Python frame>

2 threads alike, e.g. 7f66a67fc6c0:
  concurrent/futures/thread.py:81  _worker

Thread 7f66a7fff6c0:
  grpc/_server.py:1314  _serve

Extension modules: numpy, grpc (total: 2)"""
TRACEBACK = """\
Traceback (most recent call last):
  File "x.py", line 3, in <module>
    go()
ValueError: no"""


def test_the_thread_that_was_hit_comes_first_and_equal_ones_come_once() -> None:
    assert READABLE.splitlines() == stacks(TRACE)


def test_a_traceback_stays_as_it_is() -> None:
    assert TRACEBACK.splitlines() == stacks(TRACEBACK + "\n")


OWN = """\
Stack (most recent call first):
  File "/src/supervisor/jsupervisor/runtime/injected.py", line 28 in carry_out

"""


def test_a_stack_that_was_written_twice_is_there_once() -> None:
    assert READABLE.splitlines() == stacks(OWN + TRACE)


def test_a_stack_that_was_only_written_by_itself_is_there() -> None:
    broken, _, _ = TRACE.partition("Current thread")

    assert [
        "Fatal Python error: Aborted",
        "",
        "The main thread, the one that was hit:",
        "  jsupervisor/runtime/injected.py:28  carry_out",
    ] == stacks(OWN + broken)[:4]


def test_no_trace_has_no_lines() -> None:
    assert [] == stacks("")

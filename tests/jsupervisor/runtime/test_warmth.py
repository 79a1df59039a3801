"""What is done ahead leaves no trace."""

from __future__ import annotations

import signal
import threading

from jsupervisor.runtime.warmth import run_loop_once


def test_running_the_loop_ahead_leaves_no_thread_and_no_handler() -> None:
    before = threading.enumerate(), signal.getsignal(signal.SIGTERM)
    run_loop_once()

    assert before == (threading.enumerate(), signal.getsignal(signal.SIGTERM))

"""The crash trace: where a dying process says where it was, whatever is left of it.

A file of its own for each incarnation, opened before the process gives up any right, so that it can be
written from a signal handler with nothing else working: no loop, no interpreter lock, no log, no memory
to allocate. faulthandler writes the stacks of all threads there on SIGSEGV, SIGABRT, SIGBUS, SIGFPE and
SIGILL; an exception that ends the process is written as well. While other threads run, reading their
stacks may itself end in SIGSEGV: so a process that is to be aborted gets SIGUSR2 some time before, at
which the main thread writes its own stack, which nothing can disturb. jlaunchd puts the trace into the core file
and removes it. On a full disk the trace stays empty and everything else goes on.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Final

STDERR: Final = 2


def trace_path(home: str, name: str, incarnation: int) -> str:
    """The file of one incarnation's trace."""
    return os.path.join(home, "crash", f".{name}.{incarnation}.trace")


def open_trace(home: str, name: str, incarnation: int) -> int:
    """The trace to write to; stderr when there can be none."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(trace_path(home, name, incarnation), flags, 0o600)
    except OSError as error:
        print(f"cannot keep a crash trace: {error}", file=sys.stderr, flush=True)
        return STDERR


def discard_traces(home: str) -> None:
    """Of an instance that only begins: what lies there is of an earlier one."""
    for path in Path(home, "crash").glob(".*.trace"):
        path.unlink(missing_ok=True)


class CrashTrace:
    """The trace of this process, by its descriptor."""

    def __init__(self, fd: int = STDERR) -> None:
        self.fd = fd

    def enable(self) -> None:
        """From here on a deadly signal writes the stacks of all threads, and SIGUSR2 that of one."""
        faulthandler.enable(file=self.fd, all_threads=True)
        faulthandler.register(signal.SIGUSR2, file=self.fd, all_threads=False)

    def end(self, text: str) -> None:
        """Say what ends the process: to stderr, and into the trace when that is another file."""
        print(text.rstrip("\n"), file=sys.stderr, flush=True)
        if self.fd == STDERR:
            return
        try:
            os.write(self.fd, text.encode(errors="replace"))
        except OSError:
            pass  # stderr has it

    def end_by(self, error: BaseException) -> None:
        """The same for an exception that nobody caught."""
        self.end("".join(traceback.format_exception(error)))

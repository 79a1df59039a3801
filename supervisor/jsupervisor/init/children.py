"""init's children as the kernel has them: started, ended, and what became of them in words."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Sequence

from jsupervisor import linux
from jsupervisor.initproto import Message


def spawn(argv: Sequence[str], stderr_path: str, stdin: int = -1) -> int:
    """Start a program that dies with this process; its pid. Without `stdin` it reads nothing."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        linux.die_with_parent()
        if os.getppid() != parent:
            os._exit(127)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        stderr = os.open(stderr_path, flags, 0o600)
        os.dup2(stderr, 1)
        os.dup2(stderr, 2)
        os.dup2(stdin if stdin >= 0 else os.open("/dev/null", os.O_RDONLY), 0)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.execv(argv[0], list(argv))
    except OSError as error:
        print(f"cannot start {argv}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(127)


def end_all_children() -> None:
    """SIGKILL and reap every child, and every orphan that becomes one meanwhile."""
    while True:
        for pid in linux.children(os.getpid()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def used(usage: resource.struct_rusage) -> Message:
    """What a process and the children that it reaped have used; ru_maxrss is in KiB on Linux."""
    return {"utime": usage.ru_utime, "stime": usage.ru_stime, "maxrss_kb": usage.ru_maxrss}


def exit_cause(status: int) -> str:
    """A wait status in the words of event records: signal:SIGKILL, exit:17."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return f"signal:{signal.Signals(number).name}"
        except ValueError:
            return f"signal:{number}"
    return f"exit:{os.waitstatus_to_exitcode(status)}"

"""Signal handling at the start of a process that was forked rather than executed."""

from __future__ import annotations

import signal


def reset_signals() -> None:
    """Undo what the fork inherited: the mask, the wake-up descriptor and the launcher's handlers.

    SIGPIPE stays ignored, as Python sets it: a peer that died is an error of the call, not our death.
    """
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)

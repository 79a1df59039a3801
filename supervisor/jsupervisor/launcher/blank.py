"""A process forked ahead of any order, one for each stage, so that a start need not wait for forks.

Two forks and what Python does after each take a third of a start. So while nothing else happens the
launcher makes a blank: init's child like any newborn, which has nothing but a socket to the launcher,
belongs to no module and waits. The next order is given to it, and it goes through the start protocol
like a newborn. It ends with the launcher and with init; a blank that is dead or stopped is not used.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import Final

from jsupervisor import linux
from jsupervisor.initproto import MAX_MESSAGE, Message
from jsupervisor.launcher.child import await_parent, close_inherited, leave
from jsupervisor.phases import stamp

CALM: Final = 0.25
"""Seconds without an order after which a blank is made."""
PROCESS_NAME: Final = "jlauncher-blank"
"""init, which ends strays, knows newborns by this beginning."""
IDLE: Final = "S"
"""What /proc says of a process that waits for a message."""

Become = Callable[[Message], int]
"""What a blank does with an order, to the end; its exit code."""


class Blank:
    """The one blank of a stage, as the launcher has it."""

    def __init__(self, init_pid: int, become: Become, warm: Callable[[], None]) -> None:
        """`warm` is what it does ahead: it must leave no thread."""
        self._init_pid = init_pid
        self._become = become
        self._warm = warm
        self._socket: socket.socket | None = None
        self._due = time.monotonic() + CALM

    @property
    def due(self) -> float | None:
        """When the next one is to be made; None while there is one."""
        return self._due if self._socket is None else None

    def give(self, order: Message) -> bool:
        """Let the blank carry out an order; False when there is none that would."""
        used, self._socket = self._socket, None
        self._due = time.monotonic() + CALM
        if used is None:
            return False
        with used:
            try:
                stat = linux.process_stat(int(used.recv(16)))
                if stat is None or stat.state != IDLE or stat.parent != self._init_pid:
                    return False  # it ends with the socket
                used.send(json.dumps(order, separators=(",", ":")).encode())
            except (OSError, ValueError):
                return False  # it was not ready yet, or is dead
        return True

    def make(self) -> None:
        """Fork one; returns only in the launcher. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid:
            theirs.close()
            self._socket = ours
            return
        code, between = 1, os.getpid()
        try:
            code = self._wait(theirs, between) if os.fork() == 0 else 0
        except BaseException:  # noqa: BLE001 - whatever it was, it must not reach the launcher's loop
            traceback.print_exc()
        finally:
            leave(code)

    def _wait(self, launcher: socket.socket, between: int) -> int:
        linux.set_process_name(PROCESS_NAME)
        signal.set_wakeup_fd(-1)
        own = socket.socket(fileno=os.dup2(launcher.detach(), 3))
        close_inherited(4)
        if not await_parent(self._init_pid, between):
            return 0
        self._warm()
        try:
            own.send(str(os.getpid()).encode())
            data = own.recv(MAX_MESSAGE)
        except OSError:
            return 0  # it was wanted too early
        own.close()
        if not data:
            return 0
        order = json.loads(data)
        stamp(order, "forked")
        return self._become(order)

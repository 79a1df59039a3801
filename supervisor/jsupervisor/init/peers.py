"""Connections to init, with bounded output: a peer that does not read is cut, never waited for."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from jsupervisor.init.keeper import Pinger
from jsupervisor.initproto import Connection, Json, MessageError
from jsupervisor.waiting import Waiting, threads_of

MAX_QUEUE: Final = 16384
"""More than all notices that may wait for jlaunchd: its welcome must fit."""
LATELY_NS: Final = 1_000_000_000


class Peer:
    """One connected process and what it is to us."""

    def __init__(self, sock: socket.socket, on_backlog: Callable[[Peer], None]) -> None:
        sock.setblocking(False)
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.pid, self.uid, _ = struct.unpack("3i", credentials)
        self.connection = Connection(sock)
        self.role = "operator"
        self.watching = False
        self.pinger: Pinger | None = None
        self.pidfd = -1
        self.dead = False
        self.held = False
        """Is output kept back for now?"""
        self._waiting: tuple[Waiting, int] | None = None
        self._queue: deque[tuple[Mapping[str, Json], int]] = deque()
        self._on_backlog = on_backlog

    @property
    def backlog(self) -> bool:
        """Is there output that the socket did not take yet?"""
        return bool(self._queue)

    def waited(self, now: int) -> int:
        """How long it has waited for a processor since this was asked last, if that was lately; in ns."""
        threads, before = threads_of(self.pid), self._waiting
        if before is None or now - before[1] > LATELY_NS:
            self._waiting = Waiting(threads, now / 1e9), now
            return 0
        self._waiting = before[0], now
        return int(before[0].note(threads, now / 1e9) * 1e9)

    def send(self, message: Mapping[str, Json], fd: int = -1) -> None:
        """Queue a message (and a duplicate of `fd`); a peer with too much unread is dead to us."""
        if self.dead:
            return
        if len(self._queue) >= MAX_QUEUE:
            self.dead = True
            return
        self._queue.append((message, os.dup(fd) if fd >= 0 else -1))
        if not self.held:
            self._send_now()

    def release(self) -> None:
        """Keep nothing back any more."""
        self.held = False
        self._send_now()

    def _send_now(self) -> None:
        self.flush()
        if self._queue and not self.dead:
            self._on_backlog(self)

    def flush(self) -> None:
        """Send what the socket takes."""
        while self._queue and not self.dead:
            message, fd = self._queue[0]
            fds: Sequence[int] = (fd,) if fd >= 0 else ()
            try:
                self.connection.send(message, fds)
            except BlockingIOError:
                return
            except MessageError as error:
                print(f"{self.role}: {error}", file=sys.stderr, flush=True)
            except OSError:
                self.dead = True
                return
            self._queue.popleft()
            if fd >= 0:
                os.close(fd)

    def close(self) -> None:
        """Close the socket and every descriptor still waiting to be sent."""
        self.connection.close()
        for _, fd in self._queue:
            if fd >= 0:
                os.close(fd)
        self._queue.clear()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

"""The interface of a port, and what all ports made of a socket share.

A port never makes the engine wait. What its socket does not take at once waits in a short queue, which
the loop empties when the socket can be written again; beyond that frames are dropped and counted, so
that one stalled peer holds up nobody else.
"""

from __future__ import annotations

import select
import socket
from abc import ABC, abstractmethod
from collections import deque
from typing import Final, Protocol

from jdaemons.pfe.mmsg import Receiver, Transmitter

QUEUE_MAX: Final = 1024
"""Frames that wait for a port to become writable."""
BUFFER_BYTES: Final = 16 * 1024 * 1024
"""Of a socket's queue in each direction: rate times the time that a restart takes."""
SO_SNDBUFFORCE: Final = 32
SO_RCVBUFFORCE: Final = 33


class PortError(Exception):
    """A port cannot be opened; the text is one line for the user, beginning with "cannot"."""


class Store(Protocol):
    """The part of the descriptor store that ports use; LeanHost has it."""

    def put(self, key: str, fd: int) -> None:
        """Keep a duplicate."""

    def get(self, key: str) -> int | None:
        """A descriptor of one's own, None when nothing is kept."""

    def drop(self, key: str) -> None:
        """Let go of it."""


class Port(ABC):
    """One port of the router, open."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.up = False
        """The link: there is something at the other end."""
        self.changed = True
        """`up` or `events` differ from when the loop last looked; the loop clears it."""
        self.queue: deque[bytes] = deque()

    @abstractmethod
    def events(self) -> dict[int, int]:
        """Descriptors to poll, each with the events to wait for."""

    @abstractmethod
    def receive(self, fd: int, receiver: Receiver) -> int:
        """Handle a readable descriptor: how many frames were received."""

    @abstractmethod
    def send_batch(self, transmitter: Transmitter, first: int) -> int:
        """Send what is lined up from `first` on; how many were taken."""

    @abstractmethod
    def send_one(self, frame: bytes) -> bool:
        """Send one frame; False when there is no room."""

    @abstractmethod
    def close(self) -> None:
        """Close this process's descriptors."""

    def refresh(self) -> None:  # noqa: B027 - most links say by themselves how they are
        """Look again whether the link is up; called a few times a second."""

    def transmit(self, transmitter: Transmitter, count: int) -> int:
        """Send a batch that is lined up; how many frames had to be dropped."""
        sent = 0
        while not self.queue and sent < count:
            taken = self.send_batch(transmitter, sent)
            if not taken:
                break
            sent += taken
        return sum(not self._enqueue(transmitter.frame(row)) for row in range(sent, count))

    def send(self, frame: bytes) -> bool:
        """Send one frame, or let it wait; False when it had to be dropped."""
        return (not self.queue and self.send_one(frame)) or self._enqueue(frame)

    def flush(self) -> None:
        """The socket can be written again."""
        while self.queue and self.send_one(self.queue[0]):
            self.queue.popleft()
        self.changed = True

    def _enqueue(self, frame: bytes) -> bool:
        if not self.up or len(self.queue) >= QUEUE_MAX:
            return False
        if not self.queue:
            self.changed = True
        self.queue.append(frame)
        return True

    def mask(self) -> int:
        """The events to wait for on the descriptor that carries frames."""
        return select.EPOLLIN | (select.EPOLLOUT if self.queue else 0)

    def set_up(self, up: bool) -> None:
        """The link came or went; what waited for it is gone."""
        if up != self.up:
            self.up = up
            self.changed = True
            self.queue.clear()


def enlarge(sock: socket.socket) -> None:
    """Ask for big queues, beyond the host's limit where that is allowed."""
    for plain, force in (
        (socket.SO_SNDBUF, SO_SNDBUFFORCE),
        (socket.SO_RCVBUF, SO_RCVBUFFORCE),
    ):
        try:
            sock.setsockopt(socket.SOL_SOCKET, force, BUFFER_BYTES)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, plain, BUFFER_BYTES)


def adopt(fd: int) -> socket.socket:
    """A socket from the store, ready to use."""
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock

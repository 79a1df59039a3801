"""Where a sign of life comes from: an answer to a call, a stamped word, or a datagram of sd_notify.

A look never waits. It says whether there was a sign since the look before, and asks for the next one.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Final, Protocol

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.rpc import Client

_WORD: Final = struct.Struct("<q")
_DATAGRAMS: Final = 256
"""Datagrams read in one look; a program that sends more is alive in any case."""


class Sign(Protocol):
    """The signs of one incarnation."""

    carried: bool
    """Does a sign need our own threads to get here?"""
    seconds: float
    """From question to answer, of the newest one; 0 where nothing is asked."""

    def look(self) -> bool:
        """Was there a sign since the look before?"""

    def close(self) -> None:
        """No more looks."""


class Answers:
    """A daemon answers a call that passes its RPC threads and its loop; one question at a time.

    A question stays open until it is answered: under load a late answer is an answer.
    """

    carried = True

    def __init__(self, client: Client, timeout: float) -> None:
        self.seconds = 0.0
        self._client = client
        self._timeout = timeout
        self._method = runtime_pb2_grpc.RuntimeStub(client.channel).Heartbeat
        self._asked = 0.0
        self._answered: bool | None = None
        self._ask()

    def look(self) -> bool:
        """Was the question answered? Then the next one is asked."""
        answered = self._answered
        if answered is None:
            return False
        self._ask()
        return answered

    def close(self) -> None:
        """Take the open question back."""
        self._client.channel.close()

    def _ask(self) -> None:
        self._answered, self._asked = None, time.monotonic()
        self._client.ask(
            self._method, runtime_pb2.HeartbeatRequest(), self._end, timeout=self._timeout
        )

    def _end(self, answered: bool) -> None:
        """Called in a thread of gRPC's: nobody is woken for it."""
        if answered:
            self.seconds = time.monotonic() - self._asked
        self._answered = answered


class Word:
    """A lean module stamps a word in a memory file. Owns the descriptor."""

    carried = False
    seconds = 0.0

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._stamp = self._read()

    def look(self) -> bool:
        """Has the stamp changed?"""
        before, self._stamp = self._stamp, self._read()
        return before != self._stamp

    def close(self) -> None:
        """Close the memory file."""
        os.close(self._fd)

    def _read(self) -> int:
        data = os.pread(self._fd, _WORD.size, 0)
        return int(_WORD.unpack(data)[0]) if len(data) == _WORD.size else 0


class Notices:
    """A program that is not ours sends WATCHDOG=1 as sd_notify(3) has it. Owns the descriptor."""

    carried = False
    seconds = 0.0

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)

    def look(self) -> bool:
        """Has it sent one? Whatever else it sent is thrown away."""
        found = False
        for _ in range(_DATAGRAMS):
            try:
                data = self._socket.recv(4096, socket.MSG_DONTWAIT)
            except OSError:
                break
            found = found or b"WATCHDOG=1" in data.split(b"\n")
        return found

    def close(self) -> None:
        """Close our descriptor: the socket stays with init."""
        self._socket.close()

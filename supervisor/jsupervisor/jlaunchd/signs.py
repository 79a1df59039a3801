"""Where a sign of life comes from: an answer to a call, a stamped word, or a datagram of sd_notify.

A look never waits. It says whether there was a sign since the look before, and asks for the next one.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Final, Protocol

import trio

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor import sdnotify
from jsupervisor.runtime.rpc import Client

_WORD: Final = struct.Struct("<q")
_MANY: Final = 5
"""Datagrams between two looks: with twice as many the next one may have to wait (net.unix.max_dgram_qlen)."""


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
    """A program that is not ours sends WATCHDOG=1 as sd_notify(3) has it. Owns the descriptor.

    Whoever sends more than a socket holds until the next look would have to wait for it. Such a program is
    attended: read as it sends, until there is a sign, and muted from there to the next look.
    """

    carried = False
    seconds = 0.0

    def __init__(self, fd: int, pid: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._pid = pid
        self._seen = False
        self._most = 0
        self._attended = self._closed = False
        self._muted: trio.Event | None = None
        sdnotify.unmute(self._socket)

    @property
    def crowded(self) -> bool:
        """Is it to be attended from now on?"""
        return self._most >= _MANY and not self._attended

    def look(self) -> bool:
        """Has it sent one? Whatever else it sent is thrown away, and so is what others sent."""
        self._read()
        seen, self._seen = self._seen, False
        if self._muted is not None:
            sdnotify.unmute(self._socket)
            self._speak_again()
        return seen

    async def attend(self) -> None:
        """Read as it sends, and see to it that it never waits; ends when it is closed."""
        self._attended = True
        while not self._closed:
            try:
                await trio.lowlevel.wait_readable(self._socket)
            except trio.ClosedResourceError:
                return
            self._read()
            if self._seen:
                sdnotify.mute(self._socket)
                self._read()  # what is there already is a sign of this time, not of the next
                self._muted = trio.Event()
                await self._muted.wait()

    def close(self) -> None:
        """Close our descriptor: the socket stays with init. Once more does nothing."""
        if self._attended and not self._closed:
            trio.lowlevel.notify_closing(self._socket)
            self._speak_again()
        self._closed = True
        self._socket.close()

    def _read(self) -> None:
        notices = sdnotify.read(self._socket)
        self._most = max(self._most, len(notices))
        for notice in notices:
            if not self._seen and b"WATCHDOG=1" in notice.words:
                self._seen = sdnotify.belongs(notice.sender, self._pid)

    def _speak_again(self) -> None:
        if self._muted is not None:
            self._muted.set()
            self._muted = None

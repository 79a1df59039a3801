"""jlaunchd's end of its connection to init: sends never wait, and what init says comes in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncIterator, Mapping

import trio

from jsupervisor.initproto import Connection, Json, Message

Reply = tuple[Message, list[int]]


class InitLink:
    """Owns the connection. `send` queues; `run` writes; iterate `messages` to read."""

    def __init__(self, connection: Connection) -> None:
        connection.settimeout(0)
        self._connection = connection
        self._queue: deque[tuple[Mapping[str, Json], int]] = deque()
        self._filled = trio.Event()
        self._replies: deque[trio.MemorySendChannel[Reply]] = deque()

    def send(self, message: Mapping[str, Json], fd: int = -1) -> None:
        """Write a message now, or as soon as there is room; in order, with `fd`, which is closed then."""
        self._queue.append((message, fd))
        try:
            self._write()
        except OSError:
            self._filled.set()  # no room, or init is gone: `run` finds out

    async def request(self, message: Message, fds: tuple[int, ...] = ()) -> Reply:
        """The answer to a question of jlaunchd's (`get`, `inject`), and what came with it."""
        if fds:
            raise ValueError("a question of jlaunchd's carries no descriptor")
        send, receive = trio.open_memory_channel[Reply](1)
        self._replies.append(send)
        self.send(message)
        return await receive.receive()

    async def run(self) -> None:
        """Write what could not be written at once, until init is gone (OSError)."""
        while True:
            try:
                self._write()
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._connection.fileno())
                continue
            self._filled = trio.Event()
            await self._filled.wait()

    def _write(self) -> None:
        while self._queue:
            message, fd = self._queue[0]
            self._connection.send(message, () if fd < 0 else (fd,))
            self._queue.popleft()
            if fd >= 0:
                os.close(fd)

    async def messages(self) -> AsyncIterator[Message]:
        """Everything init says, less the answers to `request`; ends when init is gone."""
        while True:
            await trio.lowlevel.wait_readable(self._connection.fileno())
            try:
                received = self._connection.receive()
            except BlockingIOError:
                continue
            if received is None:
                return
            message, fds = received
            if not self._is_reply(message, fds):
                yield message

    def _is_reply(self, message: Message, fds: list[int]) -> bool:
        """Answers come in the order of the questions, and say what they answer."""
        refused = message.get("op") == "refused" and message.get("of") in ("get", "inject")
        if not self._replies or not (refused or message.get("op") in ("done", "missing")):
            return False
        self._replies.popleft().send_nowait((message, fds))
        return True

"""Bounded queues between a thread and the trio loop, one for each direction.

The loop never waits for a thread's lock longer than the thread needs to move one message, and a thread
that waits for the loop is let go when the other side gives up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from typing import Generic, TypeVar

import trio

Message = TypeVar("Message")


class Outlet(Generic[Message]):
    """The loop puts, a thread takes."""

    def __init__(self, token: trio.lowlevel.TrioToken, depth: int) -> None:
        self._token = token
        self._room = trio.Semaphore(depth)
        self._changed = threading.Condition()
        self._messages: deque[Message] = deque()
        self._ended = False
        self._error: BaseException | None = None

    async def pump(self, messages: AsyncIterator[Message]) -> None:
        """Put all of them; waits while the thread has not caught up."""
        try:
            async for message in messages:
                await self._room.acquire()
                with self._changed:
                    self._messages.append(message)
                    self._changed.notify()
        finally:
            if isinstance(messages, AsyncGenerator):
                with trio.CancelScope(shield=True):
                    await messages.aclose()

    def finish(self, error: BaseException | None) -> None:
        """Nothing follows; the thread gets what is left, and then `error` raised, if there is one."""
        with self._changed:
            if not self._ended:
                self._ended = True
                self._error = error
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody wants what is left; from any thread."""
        with self._changed:
            self._ended = True
            self._messages.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Message]:
        """For the thread: waits for messages, to the end."""
        while True:
            with self._changed:
                while not self._messages and not self._ended:
                    self._changed.wait()
                if not self._messages:
                    break
                message = self._messages.popleft()
            try:
                self._token.run_sync_soon(self._room.release)
            except trio.RunFinishedError:
                return
            yield message
        if self._error is not None:
            raise self._error


class Inlet(Generic[Message]):
    """A thread puts, the loop takes."""

    def __init__(self, token: trio.lowlevel.TrioToken, depth: int) -> None:
        self._token = token
        self._room = threading.Semaphore(depth)
        self._abandoned = False
        self._error: Exception | None = None
        # Bounded by the semaphore, which a thread can wait for.
        self._send, self._receive = trio.open_memory_channel[Message](float("inf"))

    def feed(self, messages: Iterable[Message]) -> None:
        """For the thread: put all of them; waits while the loop has not caught up.

        Returns early when the loop's side gives up. Raises what iterating raises.
        """
        for message in messages:
            self._room.acquire()
            if self._abandoned:
                return
            try:
                self._token.run_sync_soon(self._put, message)
            except trio.RunFinishedError:
                return
        self.finish(None)

    def finish(self, error: Exception | None) -> None:
        """For the thread: nothing follows; the loop gets what is left, and then `error` raised."""
        try:
            self._token.run_sync_soon(self._finish, error)
        except trio.RunFinishedError:
            pass

    def abandon(self) -> None:
        """Nobody wants what is left; from any thread. The thread is let go."""
        self._abandoned = True
        self._room.release()

    def __aiter__(self) -> Inlet[Message]:
        # Not a generator: one that is left half-way would have to be closed by its reader.
        return self

    async def __anext__(self) -> Message:
        """For the loop: the next message; raises what the thread finished with."""
        try:
            message = await self._receive.receive()
        except trio.EndOfChannel:
            if self._error is not None:
                raise self._error from None
            raise StopAsyncIteration from None
        self._room.release()
        return message

    def _put(self, message: Message) -> None:
        try:
            self._send.send_nowait(message)
        except trio.BrokenResourceError:
            pass

    def _finish(self, error: Exception | None) -> None:
        if self._error is None:
            self._error = error
        self._send.close()

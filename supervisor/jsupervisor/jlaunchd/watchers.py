"""Who is told of every event record; one that is too slow is cut, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import trio

from jsupervisor.initproto import Message

WATCH_BUFFER: Final = 10_000

Records = trio.MemoryReceiveChannel[Message]


class Watchers:
    """All who watch now."""

    def __init__(self) -> None:
        self._channels: set[trio.MemorySendChannel[Message]] = set()
        self.cut = 0
        """How many were cut for not reading."""

    @property
    def count(self) -> int:
        """How many watch now."""
        return len(self._channels)

    def tell(self, record: Message) -> None:
        """Everybody gets the record."""
        for channel in list(self._channels):
            try:
                channel.send_nowait(record)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._channels.discard(channel)
                channel.close()
                self.cut += 1

    @contextmanager
    def watching(self) -> Iterator[Records]:
        """The records from now on; they end for who is too slow."""
        send, receive = trio.open_memory_channel[Message](WATCH_BUFFER)
        self._channels.add(send)
        try:
            yield receive
        finally:
            self._channels.discard(send)
            send.close()

"""The threads behind the screen: one looks every so often, one listens to events.

Whatever they find goes into one queue, and the screen is told once that there is something: a storm of
events costs it one drawing, not a thousand. Both threads outlive every death on the other side; they are
daemons, so that nothing on the other side can keep the screen from ending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from jsupervisor.observer.events import EventRecord
from jsupervisor.paths import Instance
from jsupervisor.top.link import Link, LinkError
from jsupervisor.top.samples import Snapshot
from jsupervisor.top.source import Source

Item = Snapshot | EventRecord

SOON: Final = 0.25
"""Seconds between an event and the look that follows it: most events come in bursts."""
AWAY: Final = 0.5
"""Between two looks while somebody is away."""
RETRY: Final = 0.25


class Inbox:
    """What the threads found and the screen has not taken yet."""

    def __init__(self, tell: Callable[[], None]) -> None:
        """`tell` is called, from a thread, when there is something after there was nothing."""
        self._tell = tell
        self._lock = threading.Lock()
        self._items: list[Item] = []

    def put(self, item: Item) -> None:
        """One more."""
        with self._lock:
            first = not self._items
            self._items.append(item)
        if first:
            self._tell()

    def take(self) -> list[Item]:
        """All that there is, in order."""
        with self._lock:
            items, self._items = self._items, []
        return items


class Feed:
    """Looks at an instance and listens to it until it is closed."""

    def __init__(self, instance: Instance, interval: float, tell: Callable[[], None]) -> None:
        self.inbox = Inbox(tell)
        self.link = Link(instance)
        self._source = Source(instance, self.link)
        self._interval = interval
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._look_on, self._listen_on)
        ]

    def start(self) -> None:
        """From here on there is something to take."""
        for thread in self._threads:
            thread.start()

    def look_soon(self) -> None:
        """Do not wait for the next look's time."""
        self._wake.set()

    def close(self, timeout: float = 2.0) -> None:
        """End both threads, or leave them behind after `timeout` seconds each."""
        self._ended.set()
        self._wake.set()
        self.link.close()
        for thread in self._threads:
            thread.join(timeout)

    def _look_on(self) -> None:
        while not self._ended.is_set():
            self._wake.clear()
            snapshot = self._source.look()
            # Init tells what happens while jlaunchd cannot; what both tell the model takes in once.
            for record in self._source.pushed():
                self.inbox.put(record)
            self.inbox.put(snapshot)
            interval = self._interval if snapshot.counts is not None else AWAY
            if self._wake.wait(interval) and not self._ended.wait(SOON):
                continue
        self._source.close()

    def _listen_on(self) -> None:
        while not self._ended.is_set():
            try:
                for record in self.link.events():
                    self.inbox.put(record)
                    self._wake.set()
            except LinkError:
                pass
            self._wake.set()
            self._ended.wait(RETRY)


def once(instance: Instance, events: int = 1000) -> tuple[Snapshot, list[EventRecord]]:
    """One look, and the newest events; none when jlaunchd is away."""
    link = Link(instance)
    source = Source(instance, link)
    try:
        snapshot = source.look()
        return snapshot, link.history("", events) if snapshot.counts is not None else []
    except LinkError:
        return snapshot, []
    finally:
        source.close()
        link.close()

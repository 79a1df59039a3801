"""The threads behind the screen, at a real instance."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from jsupervisor.observer.events import EventRecord
from jsupervisor.testing import Router
from jsupervisor.top.fakes import record
from jsupervisor.top.feed import Feed, Inbox, Item, once
from jsupervisor.top.samples import Snapshot

pytestmark = pytest.mark.system


class Reader:
    """Takes what a feed finds, as a screen does."""

    def __init__(self, router: Router) -> None:
        self._told = threading.Event()
        self.feed = Feed(router.instance, 0.2, self._told.set)
        self.items: list[Item] = []

    def until(self, done: Callable[[Item], bool], timeout: float = 20.0) -> Item:
        """The first item that is the one."""
        while self._told.wait(timeout):
            self._told.clear()
            found = self.feed.inbox.take()
            self.items += found
            for item in found:
                if done(item):
                    return item
        raise TimeoutError


@pytest.fixture
def reader(router: Router) -> Iterator[Reader]:
    found = Reader(router)
    found.feed.start()
    yield found
    found.feed.close()


def supervised(item: Item) -> bool:
    return isinstance(item, Snapshot) and item.counts is not None


def away(item: Item) -> bool:
    return isinstance(item, Snapshot) and item.counts is None


def test_a_screen_is_told_once_for_many_items() -> None:
    told: list[int] = []
    inbox = Inbox(lambda: told.append(1))
    records = [record("rpd", "start", at) for at in (1.0, 2.0, 3.0)]
    for each in records:
        inbox.put(each)
    taken = inbox.take()
    inbox.put(records[0])

    assert records == taken
    assert 2 == len(told)
    assert [records[0]] == inbox.take()
    assert [] == inbox.take()


def test_looks_and_history_come_by_themselves(reader: Reader) -> None:
    for _ in range(2):
        reader.until(supervised)
    while not any(isinstance(item, EventRecord) for item in reader.items):
        reader.until(lambda item: True)

    assert {Snapshot, EventRecord} == {type(item) for item in reader.items}


def test_the_death_of_jlaunchd_is_seen_and_its_successor_too(
    reader: Reader, router: Router
) -> None:
    reader.until(supervised)
    pid = router.processes()["jlaunchd"].pid
    os.kill(pid, signal.SIGSTOP)
    reader.until(away)
    with suppress(ProcessLookupError):  # init may have found out by itself
        os.kill(pid, signal.SIGKILL)
    reader.until(supervised)
    exits = [
        item.name for item in reader.items
        if isinstance(item, EventRecord) and item.event == "exit" and item.name == "jlaunchd"
    ]  # fmt: skip

    assert exits


def test_the_end_ends_both_threads(router: Router) -> None:
    reader = Reader(router)
    reader.feed.start()
    reader.until(supervised)
    reader.feed.close(10.0)

    assert not [t for t in reader.feed._threads if t.is_alive()]


def test_one_look_has_events_too(router: Router) -> None:
    look, events = once(router.instance, 3)

    assert look.counts is not None
    assert 3 == len(events)


def test_one_look_at_nothing_is_a_look(router: Router) -> None:
    pid = router.processes()["jlaunchd"].pid
    mark = router.mark()
    os.kill(pid, signal.SIGSTOP)
    look, events = once(router.instance)
    with suppress(ProcessLookupError):  # init may have found out by itself
        os.kill(pid, signal.SIGKILL)
    router.wait_for(mark, "jlaunchd", "ready")

    assert look.status is not None
    assert (None, []) == (look.counts, events)

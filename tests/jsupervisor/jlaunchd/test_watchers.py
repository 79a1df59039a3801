"""Everybody who watches hears everything, and nobody waits for who is slow."""

from __future__ import annotations

import pytest
import trio

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.watchers import WATCH_BUFFER, Watchers


def record(number: int) -> Message:
    """A record that can be told from others."""
    return {"number": number}


async def test_all_watchers_hear_what_is_told_after_they_came() -> None:
    watchers = Watchers()
    with watchers.watching() as early:
        watchers.tell(record(1))
        with watchers.watching() as late:
            watchers.tell(record(2))

            assert [record(1), record(2)] == [await early.receive(), await early.receive()]
            assert record(2) == await late.receive()


async def test_one_that_is_too_slow_is_cut_after_what_it_was_sent() -> None:
    watchers = Watchers()
    with watchers.watching() as slow:
        for number in range(WATCH_BUFFER + 1):
            watchers.tell(record(number))
        heard = [one async for one in slow]

    assert WATCH_BUFFER == len(heard)


async def test_who_has_left_is_forgotten() -> None:
    watchers = Watchers()
    with watchers.watching() as gone:
        pass
    watchers.tell(record(1))

    with pytest.raises(trio.EndOfChannel):
        await gone.receive()


async def test_those_who_watch_and_those_who_were_cut_are_counted() -> None:
    watchers = Watchers()
    with watchers.watching(), watchers.watching() as quick:
        for number in range(WATCH_BUFFER + 1):
            watchers.tell(record(number))
            await quick.receive()
        watching = watchers.count

    assert (1, 0, 1) == (watching, watchers.count, watchers.cut)

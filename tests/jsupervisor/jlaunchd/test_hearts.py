"""Everybody with a heartbeat is looked at in one turn an interval; nobody else makes anybody wake up."""

from __future__ import annotations

import os
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd import hearts as hearts_module
from jsupervisor.jlaunchd.heartbeat import FIRST_SIGN, WAITING_CAP
from jsupervisor.jlaunchd.hearts import Hearts, Kept
from jsupervisor.jlaunchd.plan import Heartbeat
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.fakes import make_order
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.log import Log
from jsupervisor.runtime.record import Record
from jsupervisor.runtime.rpc import Client
from jsupervisor.waiting import Threads, Turns

BEAT = Heartbeat(interval=0.25, misses=3)
BORN = (hearts_module.TURNS + 1) * 0.25


class Store:
    """init's store, with a word for each key."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.asked: list[str] = []

    def word(self, key: str) -> int:
        """A new memory file kept as `key`."""
        self.words[key] = os.memfd_create(key)
        return self.words[key]

    async def request(
        self, message: Message, fds: tuple[int, ...] = ()
    ) -> tuple[Message, list[int]]:
        """As of the connection to init."""
        await trio.lowlevel.checkpoint()
        key = str(message["key"])
        self.asked.append(key)
        if key not in self.words:
            return {"op": "missing", "why": f"there is no {key}"}, []
        return {"op": "done"}, [os.dup(self.words[key])]

    def close(self) -> None:
        """Close every file."""
        for fd in self.words.values():
            os.close(fd)


def _nobody(name: str, incarnation: int) -> Client:
    raise AssertionError("nobody here answers calls")


class World:
    """Hearts, and what they said."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.store = Store()
        self.lost: list[tuple[str, int]] = []
        self.records: list[Record] = []
        log = Log(make_order(Path("/nowhere"), "jlaunchd"), Clock(), self.records.append)
        self.hearts = Hearts(_nobody, log, lambda *who: self.lost.append(who))
        self.hearts.start(nursery, Descriptors(self.store))
        self._nursery = nursery
        self._numbers = count(1)

    def beat(self, name: str, times: float) -> None:
        """Stamp a word ten times a second, for `times` stamps."""
        self._nursery.start_soon(self._stamp, self.store.words[f"{name}/heartbeat"], times)

    async def _stamp(self, fd: int, times: float) -> None:
        done = 0
        while done < times:
            os.pwrite(fd, struct.pack("<q", next(self._numbers)), 0)
            await trio.sleep(0.1)
            done += 1


@asynccontextmanager
async def a_world() -> AsyncGenerator[World, None]:
    """Ends everything at the end of the block."""
    async with trio.open_nursery() as nursery:
        world = World(nursery)
        try:
            yield world
        finally:
            world.store.close()
            nursery.cancel_scope.cancel()


async def test_a_module_that_stamps_its_word_is_never_lost(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.beat("pfe0", 1000)
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        await trio.sleep(99)

        assert [] == world.lost


async def test_a_module_that_stops_stamping_is_lost_within_an_interval_and_its_misses(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.beat("pfe0", 10)
        world.hearts.watch("pfe0", 4, BEAT, Kept.WORD, 0)
        await trio.sleep(1.0 + 0.25 * 4 + 0.01)

        assert [("pfe0", 4)] == world.lost


async def test_a_module_that_never_stamps_is_lost_after_its_misses(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        await trio.sleep(0.25 * 3 - 0.01)
        before = list(world.lost)
        await trio.sleep(0.02)

        assert ([], [("pfe0", 1)]) == (before, world.lost)


class Silent:
    """A sign that never comes, of those that need our own threads."""

    carried = True
    seconds = 0.0

    def look(self) -> bool:
        """Nothing."""
        return False

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize(("ready", "seconds"), [(False, BORN + FIRST_SIGN + 0.75), (True, 1.0)])
async def test_the_first_answer_may_take_longer_until_the_module_is_ready(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, ready: bool, seconds: float
) -> None:
    monkeypatch.setattr(hearts_module, "Answers", lambda client, timeout: Silent())
    monkeypatch.setattr(hearts_module, "threads_of", lambda pid: Threads({}))
    async with a_world() as world:
        monkeypatch.setattr(world.hearts, "_connect", lambda name, incarnation: None)
        world.hearts.ready("rpd")
        world.hearts.watch("rpd", 1, BEAT, "rpd", 0)
        if ready:
            world.hearts.ready("rpd")
        await trio.sleep(seconds - 0.01)
        before = list(world.lost)
        await trio.sleep(0.02)

        assert ([], [("rpd", 1)]) == (before, world.lost)


async def test_a_lost_module_is_reported_once(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        await trio.sleep(60)

        assert [("pfe0", 1)] == world.lost


async def test_a_module_that_is_gone_is_forgotten(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        await trio.sleep(0.5)
        world.hearts.forget("pfe0")
        world.hearts.forget("pfe0")
        await trio.sleep(60)

        assert [] == world.lost


async def test_a_module_may_be_gone_before_init_has_given_its_word(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        world.hearts.forget("pfe0")
        await trio.sleep(60)

        assert [] == world.lost


async def test_a_successor_takes_the_place_of_its_predecessor(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        world.hearts.watch("pfe0", 2, BEAT, Kept.WORD, 0)
        await trio.sleep(60)

        assert [("pfe0", 2)] == world.lost


async def test_a_module_without_a_heartbeat_is_not_watched(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.hearts.watch("pfe0", 1, None, Kept.WORD, 0)
        await trio.sleep(60)

        assert ([], []) == (world.lost, world.store.asked)


async def test_a_word_that_init_does_not_keep_is_said_and_the_module_let_be(
    autojump_clock: MockClock,
) -> None:
    async with a_world() as world:
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        await trio.sleep(60)

        assert [] == world.lost
        assert ["pfe0: init keeps no pfe0/heartbeat"] == [record.text for record in world.records]


async def test_all_of_one_interval_are_looked_at_in_one_turn(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[tuple[float, list[str]]] = []
    look = Hearts._look

    def noted(self: Hearts, found: list[hearts_module.Heart], due: float) -> None:
        turns.append((trio.current_time(), [heart.name for heart in found]))
        look(self, found, due)

    monkeypatch.setattr(Hearts, "_look", noted)
    async with a_world() as world:
        for name in ("pfe0", "pfe1", "pfe2"):
            world.store.word(f"{name}/heartbeat")
            world.beat(name, 100)
            world.hearts.watch(name, 1, Heartbeat(1.0, 3), Kept.WORD, 0)
        await trio.sleep(3.5)

    assert [["pfe0", "pfe1", "pfe2"]] * 3 == [sorted(names) for _, names in turns]
    assert 3 == len({at for at, _ in turns})


async def test_a_module_that_waits_for_a_processor_has_more_time_up_to_the_cap(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    starving = lambda pid: Threads({pid: Turns(1, 1, runnable=True)})
    assert (0.75 + WAITING_CAP, True) == await _lost_after(monkeypatch, starving)


async def test_a_stopped_module_has_no_more_time_however_busy_the_machine_is(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = lambda pid: Threads({pid: Turns(1, 1, runnable=True)}, stopped=True)
    assert (0.75, True) == await _lost_after(monkeypatch, stopped)


async def _lost_after(
    monkeypatch: pytest.MonkeyPatch, threads: Callable[[int], Threads]
) -> tuple[float, bool]:
    """Seconds of silence that are given to a module whose threads look like this, after a sign."""
    monkeypatch.setattr(hearts_module, "threads_of", threads)
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.beat("pfe0", 1)
        await trio.sleep(0.01)
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 4711)
        await trio.sleep(0.02)
        world.beat("pfe0", 1)
        await trio.sleep(0.25)  # the look that sees the sign
        began = trio.current_time()
        while not world.lost:
            await trio.sleep(0.05)
            if trio.current_time() - began > 20:
                return 0.0, False
        return round((trio.current_time() - began) / 0.25) * 0.25, True


async def test_signs_are_counted(autojump_clock: MockClock) -> None:
    async with a_world() as world:
        world.store.word("pfe0/heartbeat")
        world.beat("pfe0", 10)
        world.hearts.watch("pfe0", 1, BEAT, Kept.WORD, 0)
        await trio.sleep(1.3)
        count = world.hearts.stats.of("pfe0")

        assert (5, 1) == (count.asked, count.missed)


async def test_a_newborn_is_not_asked_at_once_and_not_at_all_when_it_is_gone(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(hearts_module, "Answers", lambda client, timeout: Silent())
    async with a_world() as world:
        monkeypatch.setattr(world.hearts, "_connect", lambda name, number: asked.append(name))
        world.hearts.watch("rpd", 1, BEAT, "rpd", 0)
        world.hearts.watch("dcd", 1, BEAT, "dcd", 0)
        await trio.sleep(BORN - 0.01)
        before = list(asked)
        world.hearts.forget("dcd")
        await trio.sleep(0.5)

        assert ([], ["rpd"]) == (before, asked)

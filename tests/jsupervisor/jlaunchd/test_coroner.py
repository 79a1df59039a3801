"""An end is forgotten by init after its post-mortem, in order, and nothing waits for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import trio
from trio.testing import MockClock

from jsupervisor.jlaunchd.coroner import PAUSE, Coroner
from jsupervisor.jlaunchd.postmortem import Death, Postmortem
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.fakes import make_order
from jsupervisor.runtime.log import Log
from jsupervisor.runtime.record import Record

CRASH = Death(
    name="rpd", executable="rpd", incarnation=1, pid=5, ended="exit:1", ordered="",
    monotonic_ns=1, usage={},
)  # fmt: skip
LEFT = replace(CRASH, name="dcd", ended="exit:0")


class World:
    """A coroner, and what it did."""

    def __init__(self, home: Path) -> None:
        self.acknowledged: list[tuple[int, float]] = []
        self.records: list[Record] = []
        self.examined: list[list[str]] = []
        postmortem = Postmortem(home, Clock())
        examine = postmortem.examine

        def noted(deaths: Sequence[Death]) -> list[Path]:
            self.examined.append([each.name for each in deaths])
            return examine(deaths)

        postmortem.examine = noted  # type: ignore[method-assign]
        log = Log(make_order(Path("/nowhere"), "jlaunchd"), Clock(), self.records.append)
        self.coroner = Coroner(postmortem, log, self._acknowledge)
        self._began = trio.current_time()

    async def until(self, notice: int) -> None:
        """It is acknowledged. The clock jumps on while a thread works."""
        while notice not in dict(self.acknowledged):
            await trio.sleep(0.01)

    def _acknowledge(self, notice: int) -> None:
        self.acknowledged.append((notice, round(trio.current_time() - self._began, 1)))


@asynccontextmanager
async def a_world(home: Path) -> AsyncGenerator[World, None]:
    """The coroner works while the block runs."""
    async with trio.open_nursery() as nursery:
        world = World(home)
        nursery.start_soon(world.coroner.run)
        yield world
        nursery.cancel_scope.cancel()


async def test_a_notice_without_an_end_is_acknowledged_at_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with a_world(tmp_path) as world:
        world.coroner.take([], 7)
        await trio.sleep(PAUSE / 2)

    assert [(7, 0.0)] == world.acknowledged
    assert [] == world.examined


async def test_what_is_no_notice_is_not_acknowledged(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with a_world(tmp_path) as world:
        world.coroner.take([], 0)
        await trio.sleep(1)

    assert [] == world.acknowledged


async def test_an_end_is_acknowledged_after_its_post_mortem(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    (tmp_path / "crash").mkdir()
    async with a_world(tmp_path) as world:
        world.coroner.take([CRASH], 7)
        await trio.sleep(PAUSE * 0.9)
        early = list(world.acknowledged)
        await world.until(7)

    assert [] == early
    assert ["rpd.core.0"] == [path.name for path in (tmp_path / "crash").iterdir()]
    assert [f"core file {tmp_path}/crash/rpd.core.0 written"] == [r.text for r in world.records]


async def test_what_comes_during_the_pause_waits_for_the_same_post_mortem(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    (tmp_path / "crash").mkdir()
    async with a_world(tmp_path) as world:
        world.coroner.take([CRASH], 7)
        await trio.sleep(PAUSE / 2)
        world.coroner.take([replace(CRASH, name="dcd")], 8)
        world.coroner.take([], 9)
        await world.until(9)

    assert [9] == [notice for notice, _ in world.acknowledged]
    assert [["rpd", "dcd"]] == world.examined


async def test_an_end_in_order_makes_nobody_wait(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.coroner.take([LEFT], 7)
        await world.until(7)

    assert dict(world.acknowledged)[7] < PAUSE


async def test_a_full_disk_is_said_once_and_the_end_acknowledged(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with a_world(tmp_path) as world:
        for notice in (1, 2, 3):
            world.coroner.take([replace(CRASH, incarnation=notice)], notice)
            await world.until(notice)

    assert [1, 2, 3] == [notice for notice, _ in world.acknowledged]
    text = "cannot keep a core of rpd: No such file or directory"
    assert [("ERROR", text)] == [(r.severity.name, r.text) for r in world.records]

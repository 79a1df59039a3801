"""Bounded queues between a thread and the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import trio

from jsupervisor.runtime.queues import Inlet, Outlet


def an_outlet(depth: int = 2) -> Outlet[int]:
    return Outlet(trio.lowlevel.current_trio_token(), depth)


def an_inlet(depth: int = 2) -> Inlet[int]:
    return Inlet(trio.lowlevel.current_trio_token(), depth)


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def test_a_thread_gets_everything_in_order_and_then_the_error() -> None:
    outlet, got = an_outlet(), list[int]()

    def take() -> None:
        with pytest.raises(ValueError, match="the end"):
            got.extend(outlet)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, take)
        await outlet.pump(numbers(50))
        outlet.finish(ValueError("the end"))

    assert list(range(50)) == got


async def test_the_loop_waits_while_the_thread_does_not_take() -> None:
    outlet, put = an_outlet(2), list[int]()

    async def noting() -> AsyncIterator[int]:
        for number in range(10):
            put.append(number)
            yield number

    with trio.move_on_after(0.02):
        await outlet.pump(noting())

    assert [0, 1, 2] == put


async def test_an_abandoned_outlet_lets_its_thread_go() -> None:
    outlet = an_outlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, lambda: list(outlet))
        outlet.abandon()


async def test_the_loop_gets_everything_in_order() -> None:
    inlet = an_inlet()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, lambda: inlet.feed(range(50)))
        got = [number async for number in inlet]

    assert list(range(50)) == got


async def test_the_loop_gets_the_threads_error_last() -> None:
    inlet, got = an_inlet(), list[int]()
    inlet.finish(ValueError("broken"))
    with pytest.raises(ValueError, match="broken"):
        async for number in inlet:
            got.append(number)

    assert [] == got


async def test_a_thread_waits_while_the_loop_does_not_take_and_is_let_go() -> None:
    inlet, fed = an_inlet(2), list[int]()

    def endless() -> Iterator[int]:
        number = 0
        while True:
            fed.append(number)
            yield number
            number += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, lambda: inlet.feed(endless()))
        while len(fed) < 3:
            await trio.sleep(0)
        inlet.abandon()

    assert [0, 1, 2] == fed

"""Counting heartbeats."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from jsupervisor.jlaunchd.heartstats import HeartStats


async def test_a_question_is_counted_and_timed(autojump_clock: MockClock) -> None:
    stats = HeartStats()

    async def slow() -> bool:
        await trio.sleep(0.125)
        return True

    answered = await stats.counted("rpd", slow)()

    assert answered
    assert (1, 0, 0.125) == (
        stats.of("rpd").asked,
        stats.of("rpd").missed,
        stats.of("rpd").seconds,
    )


async def test_a_miss_is_counted_and_leaves_the_latency_of_the_last_answer() -> None:
    stats = HeartStats()
    stats.of("rpd").note(True, 0.25)

    async def silent() -> bool:
        return False

    await stats.counted("rpd", silent)()

    assert (2, 1, 0.25) == (
        stats.of("rpd").asked,
        stats.of("rpd").missed,
        stats.of("rpd").seconds,
    )


def test_modules_are_counted_apart() -> None:
    stats = HeartStats()
    stats.of("rpd").note(False, 0.0)

    assert 0 == stats.of("dcd").asked

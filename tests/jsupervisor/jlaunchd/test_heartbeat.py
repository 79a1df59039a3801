"""A silent module is noticed; a late supervisor blames nobody."""

from __future__ import annotations

import os
import struct

import pytest
import trio
from trio.testing import MockClock

from jsupervisor.jlaunchd.heartbeat import Pulse, ask_by_word, watch
from jsupervisor.jlaunchd.plan import Heartbeat

BEAT = Heartbeat(interval=0.25, misses=3)


def test_three_misses_in_a_row_are_too_many() -> None:
    pulse = Pulse(BEAT)
    verdicts = [pulse.note(False, at, at + 0.25) for at in (0.0, 0.25, 0.5)]

    assert [False, False, True] == verdicts


def test_an_answer_clears_the_misses_before_it() -> None:
    pulse = Pulse(BEAT)
    answers = [False, False, True, False, False, True]
    verdicts = [pulse.note(answered, 0.0, 0.25) for answered in answers]

    assert not any(verdicts)


def test_a_question_that_we_ourselves_took_too_long_over_does_not_count() -> None:
    pulse = Pulse(BEAT)
    verdicts = [pulse.note(False, 0.0, 0.6) for _ in range(10)]

    assert not any(verdicts)


async def test_a_module_that_never_answers_is_lost_after_three_intervals(
    autojump_clock: MockClock,
) -> None:
    async def silent() -> bool:
        await trio.sleep(0.25)
        return False

    await watch(BEAT, silent)

    assert 1.0 == pytest.approx(trio.current_time())


async def test_a_module_that_answers_is_watched_for_ever(autojump_clock: MockClock) -> None:
    asked = 0

    async def lively() -> bool:
        nonlocal asked
        asked += 1
        await trio.lowlevel.checkpoint()
        return True

    with trio.move_on_after(10.1):
        await watch(BEAT, lively)

    assert 40 == asked


async def test_the_word_of_an_engine_is_fresh_or_stale() -> None:
    fd = os.memfd_create("heartbeat")
    try:
        os.pwrite(fd, struct.pack("<q", 1_000_000_000), 0)
        fresh = await ask_by_word(fd, 0.25, lambda: 1_200_000_000)()
        stale = await ask_by_word(fd, 0.25, lambda: 1_300_000_000)()
    finally:
        os.close(fd)

    assert (True, False) == (fresh, stale)


async def test_a_word_that_was_never_stamped_is_stale() -> None:
    fd = os.memfd_create("heartbeat")
    try:
        answered = await ask_by_word(fd, 0.25, lambda: 1_000_000_000)()
    finally:
        os.close(fd)

    assert not answered

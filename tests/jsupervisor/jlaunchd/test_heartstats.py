"""Counting heartbeats."""

from __future__ import annotations

import time

from jsupervisor.jlaunchd.heartstats import HeartCount, HeartStats


def test_an_answer_is_counted_and_its_latency_kept() -> None:
    stats = HeartStats()
    stats.of("rpd").note(True, 0.125)

    assert HeartCount(asked=1, missed=0, seconds=0.125) == stats.of("rpd")


def test_a_miss_is_counted_and_leaves_the_latency_of_the_last_answer() -> None:
    stats = HeartStats()
    stats.of("rpd").note(True, 0.25)
    stats.of("rpd").note(False, 0.0)

    assert HeartCount(asked=2, missed=1, seconds=0.25) == stats.of("rpd")


def test_only_an_answer_has_been_seen() -> None:
    count = HeartCount()
    count.note(False, 0.0)
    missed = count.seen_ns
    before = time.monotonic_ns()
    count.note(True, 0.25)

    assert 0 == missed
    assert before <= count.seen_ns


def test_modules_are_counted_apart() -> None:
    stats = HeartStats()
    stats.of("rpd").note(False, 0.0)

    assert 0 == stats.of("dcd").asked

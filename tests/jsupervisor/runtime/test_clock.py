"""Clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from jsupervisor.runtime.clock import Clock, rfc3339


def test_the_two_monotonic_readings_are_one_clock() -> None:
    clock = Clock()
    first, second, third = clock.monotonic_ns(), clock.monotonic(), clock.monotonic_ns()

    assert first <= second * 1e9 + 1000
    assert second * 1e9 <= third + 1000


def test_the_wall_clock_is_utc() -> None:
    assert UTC == Clock().utcnow().tzinfo


def test_a_moment_is_written_as_rfc_3339_in_utc() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6000, timezone(timedelta(hours=2)))

    assert "2026-01-02T01:04:05.006000Z" == rfc3339(moment)

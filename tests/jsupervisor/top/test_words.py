"""Figures in a few characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.top import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-1.0, "0s"),
        (0.0, "0s"),
        (59.9, "59s"),
        (60.0, "1m00s"),
        (3599.0, "59m59s"),
        (3600.0, "1h00m"),
        (90000.0, "1d01h"),
        (86400.0 * 400, "400d00h"),
    ],
)
def test_an_age_has_two_units_at_most(seconds: float | None, text: str) -> None:
    assert text == words.age(seconds)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-0.5, "0.0ms"),
        (0.0004, "0.4ms"),
        (0.00994, "9.9ms"),
        (0.0999, "100ms"),
        (0.0596, "60ms"),
        (0.9994, "999ms"),
        (0.9996, "1.00s"),
        (1.25, "1.25s"),
        (9.996, "10.0s"),
        (59.94, "59.9s"),
        (192.0, "3m12s"),
    ],
)
def test_a_span_has_three_figures(seconds: float | None, text: str) -> None:
    assert text == words.span(seconds)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (None, "-"),
        (0, "0K"),
        (512 << 10, "512K"),
        (55 << 20, "55M"),
        ((1 << 30) + (1 << 28), "1.2G"),
    ],
)
def test_memory_is_in_the_unit_that_fits(octets: int | None, text: str) -> None:
    assert text == words.size(octets)


def test_rates_and_shares_lose_figures_as_they_grow() -> None:
    assert ["-", "0", "0.4", "9.9", "12", "999", "3.4k"] == [
        words.rate(value) for value in (None, 0.04, 0.4, 9.9, 12.3, 999.4, 3400.0)
    ]
    assert ["-", "0.0", "12.5", "99.9", "100"] == [
        words.percent(value) for value in (None, 0.0, 12.5, 99.94, 99.96)
    ]
    assert ["-", "0", "7"] == [words.count(number) for number in (None, 0, 7)]


@given(st.floats(0, 1e7))
def test_no_time_needs_more_than_seven_characters(seconds: float) -> None:
    assert len(words.age(seconds)) <= 7
    assert len(words.span(seconds)) <= 7

"""Percentiles are values that were measured; the same values always give the same interval."""

from __future__ import annotations

import pytest
from bench.supervisors.stats import interval, percentile, spread
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=50)


def test_the_99th_percentile_of_300_values_is_the_297th() -> None:
    assert 297 == percentile(range(1, 301), 0.99)
    assert 1 == percentile([1], 0.99)
    assert 99 == percentile(range(1, 101), 0.99)


def test_few_values_have_their_maximum_as_99th_percentile() -> None:
    assert 30 == spread(list(range(1, 31))).p99


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


@given(VALUES)
def test_the_median_lies_in_its_interval_and_the_interval_among_the_values(
    values: list[float],
) -> None:
    found = spread(values)

    assert min(values) <= found.low <= found.high <= max(values)
    assert found.low <= found.median <= found.high or len(values) < 10
    assert found.median <= found.p99 <= found.maximum


def test_the_interval_is_the_same_every_time() -> None:
    values = [1.0, 5.0, 2.0, 8.0, 3.0]

    assert interval(values) == interval(values)

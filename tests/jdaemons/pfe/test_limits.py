"""The token bucket."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jdaemons.pfe.limits import SECOND, TokenBucket


def test_a_burst_passes_and_then_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    burst = [bucket.take(0) for _ in range(5)]

    assert [True, True, True, False, False] == burst
    assert not bucket.take(SECOND // 10 - 1)
    assert bucket.take(SECOND // 10)


@given(st.lists(st.integers(0, SECOND // 5), max_size=100))
def test_never_more_than_rate_and_burst(gaps: list[int]) -> None:
    bucket, now, passed = TokenBucket(rate=10, burst=3), 0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(now)

    assert passed <= 3 + now * 10 // SECOND + 1

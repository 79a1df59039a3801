"""A token bucket (RFC 4443 section 2.4 (f)): so many a second, so many at once. Pure."""

from __future__ import annotations

from typing import Final

SECOND: Final = 1_000_000_000


class TokenBucket:
    """Grants at most `rate` a second and `burst` at once."""

    def __init__(self, rate: int, burst: int) -> None:
        self._step = SECOND // rate
        self._burst_ns = burst * self._step
        self._level = self._burst_ns
        self._at: int | None = None

    def take(self, now: int) -> bool:
        """May one more pass now (ns)?"""
        if self._at is not None:
            self._level = min(self._burst_ns, self._level + max(0, now - self._at))
        self._at = now
        if self._level < self._step:
            return False
        self._level -= self._step
        return True

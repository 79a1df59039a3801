"""Medians, the 99th percentile and how sure a median is. Pure."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

RESAMPLES: Final = 1000
SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Spread:
    """Figures of one kind."""

    count: int
    median: float
    low: float
    """Lower end of the median's 95 % bootstrap interval."""
    high: float
    p99: float
    """With fewer than 100 values this is the greatest."""
    maximum: float


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed; raises ValueError for none."""
    if not values:
        raise ValueError("cannot take a percentile of nothing")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of the median; the same values give the same interval."""
    draw = random.Random(SEED)
    medians = sorted(
        statistics.median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES)
    )
    return percentile(medians, 0.025), percentile(medians, 0.975)


def spread(values: Sequence[float]) -> Spread:
    """All figures of some values; raises ValueError for none."""
    p99 = percentile(values, 0.99)
    low, high = interval(values)
    return Spread(len(values), statistics.median(values), low, high, p99, max(values))

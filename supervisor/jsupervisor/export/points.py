"""OpenMetrics text as OTLP's metrics, the way the OpenTelemetry specification translates them.

Counters and histograms are cumulative from the moment that they were first seen, or last seen to begin
anew; a stateset is a gauge of 0 and 1, an info a gauge of 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families

CUMULATIVE: Final = AggregationTemporality.CUMULATIVE
UNITS: Final = {"seconds": "s", "bytes": "By"}

Key = tuple[str, tuple[tuple[str, str], ...]]


class Points:
    """Remembers when each series began."""

    def __init__(self) -> None:
        self._series: dict[Key, tuple[int, float]] = {}

    def metrics(self, text: str, now_ns: int) -> list[Metric]:
        """The metrics of one scrape, at `now_ns` since the epoch; raises ValueError for no such text."""
        families: Iterable[Family] = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        return [self._metric(family, now_ns) for family in families]

    def _metric(self, family: Family, now: int) -> Metric:
        data: Sum | Gauge | Histogram
        match family.type:
            case "counter":
                points = [
                    self._number(s.name, s.labels, s.value, now)
                    for s in family.samples
                    if s.name.endswith("_total")
                ]
                data = Sum(points, CUMULATIVE, True)
            case "histogram":
                data = Histogram(self._histograms(family, now), CUMULATIVE)
            case _:
                data = Gauge(
                    [NumberDataPoint(s.labels, now, now, float(s.value)) for s in family.samples]
                )
        return Metric(family.name, family.documentation, UNITS.get(family.unit, ""), data)

    def _number(
        self, name: str, labels: Mapping[str, str], value: float, now: int
    ) -> NumberDataPoint:
        began = self._began((name, _items(labels)), value, now)
        # Always as a double: a series must not change its type when it meets a round number.
        return NumberDataPoint(labels, began, now, float(value))

    def _histograms(self, family: Family, now: int) -> list[HistogramDataPoint]:
        buckets: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
        sums: dict[tuple[tuple[str, str], ...], float] = {}
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            if sample.name.endswith("_bucket"):
                buckets.setdefault(_items(labels), {})[float(sample.labels["le"])] = sample.value
            elif sample.name.endswith("_sum"):
                sums[_items(labels)] = sample.value
        return [
            self._histogram(family.name, labels, cumulative, sums.get(labels, 0.0), now)
            for labels, cumulative in buckets.items()
        ]

    def _histogram(
        self,
        name: str,
        labels: tuple[tuple[str, str], ...],
        cumulative: dict[float, float],
        total: float,
        now: int,
    ) -> HistogramDataPoint:
        bounds = sorted(cumulative)
        counts, before = [], 0
        for bound in bounds:
            counts.append(int(cumulative[bound]) - before)
            before = int(cumulative[bound])
        return HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=self._began((name, labels), before, now),
            time_unix_nano=now,
            count=before,
            sum=total,
            bucket_counts=counts,
            explicit_bounds=bounds[:-1],
            min=None,  # type: ignore[arg-type] # nobody has kept them, and OTLP can do without
            max=None,  # type: ignore[arg-type]
        )

    def _began(self, key: Key, value: float, now: int) -> int:
        began, last = self._series.get(key, (now, value))
        if value < last:
            began = now
        self._series[key] = (began, value)
        return began


def _items(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))

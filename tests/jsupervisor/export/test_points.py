"""OpenMetrics text as OTLP's data points."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics.export import Gauge, Histogram, Sum

from jsupervisor.export.points import Points
from jsupervisor.jlaunchd.openmetrics import Exposition, Family

EXITS = Family("x_exits", "counter", "", ("module",), "Ends.")
SIZE = Family("x_size_bytes", "gauge", "bytes", (), "Size.")
TIME = Family("x_time_seconds", "histogram", "seconds", (), "Time.")
STATE = Family("x_state", "stateset", "", (), "State.")


def text(exits: int) -> str:
    out = Exposition((EXITS, SIZE, TIME, STATE))
    out.add(EXITS, exits, "rpd")
    out.add(SIZE, 4096)
    out.add_histogram(TIME, (0.1, 1.0), (2, 0, 3), 9.5)
    out.add_states(STATE, ("up", "down"), "up")
    return out.text()


def test_a_counter_is_a_cumulative_monotonic_sum() -> None:
    metric = Points().metrics(text(3), 1000)[0]

    assert isinstance(metric.data, Sum)
    assert metric.data.is_monotonic
    (point,) = metric.data.data_points
    assert ({"module": "rpd"}, 3, 1000, 1000) == (
        point.attributes,
        point.value,
        point.start_time_unix_nano,
        point.time_unix_nano,
    )


def test_a_counter_that_begins_anew_has_a_new_start() -> None:
    points = Points()
    starts = []
    for now, exits in ((1000, 3), (2000, 5), (3000, 1), (4000, 2)):
        data = points.metrics(text(exits), now)[0].data
        starts.append(data.data_points[0].start_time_unix_nano)

    assert [1000, 1000, 3000, 3000] == starts


def test_gauges_and_states_are_gauges_with_their_unit() -> None:
    _, size, _, state = Points().metrics(text(1), 1000)

    assert isinstance(size.data, Gauge) and isinstance(state.data, Gauge)
    assert ("x_size_bytes", "By") == (size.name, size.unit)
    assert {"up": 1.0, "down": 0.0} == {
        str((p.attributes or {})["x_state"]): p.value for p in state.data.data_points
    }


def test_a_histogram_has_counts_for_each_bucket() -> None:
    metric = Points().metrics(text(1), 1000)[2]

    assert isinstance(metric.data, Histogram)
    (point,) = metric.data.data_points
    assert ("s", [0.1, 1.0], [2, 0, 3], 5, 9.5) == (
        metric.unit,
        point.explicit_bounds,
        point.bucket_counts,
        point.count,
        point.sum,
    )


def test_what_is_no_openmetrics_is_refused() -> None:
    with pytest.raises(ValueError):
        Points().metrics("nonsense", 1000)

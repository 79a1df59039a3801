"""What is written as OpenMetrics, read with prometheus_client's parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from jsupervisor.jlaunchd.openmetrics import Exposition, Family

EXITS = Family("x_exits", "counter", "", ("module", "cause"), "Ends.")
SIZE = Family("x_size_bytes", "gauge", "bytes", ("module",), "Size.")
TIME = Family("x_time_seconds", "histogram", "seconds", ("module",), "Time.")
BUILD = Family("x_build", "info", "", ("version",), "Release.")
STATE = Family("x_state", "stateset", "", ("module",), "State.")
ALARMS = Family("x_alarms", "gauge", "", (), 'Alarms, "raised"\n\\ and kept.')
FAMILIES = (EXITS, SIZE, TIME, BUILD, STATE, ALARMS)


def read(out: Exposition) -> dict[str, Metric]:
    families = text_string_to_metric_families(out.text())  # type: ignore[no-untyped-call]
    return {metric.name: metric for metric in families}


def test_each_type_is_what_a_parser_takes_it_for() -> None:
    out = Exposition(FAMILIES)
    out.add(EXITS, 3, "rpd", "signal:SIGKILL")
    out.add(SIZE, 4096, "rpd")
    out.add_histogram(TIME, (0.1, 1.0), (2, 1, 4), 12.5, "rpd")
    out.add(BUILD, 1, "0.1.0")
    out.add_states(STATE, ("up", "down"), "up", "rpd")
    out.add(ALARMS, 0)
    metrics = read(out)

    assert {
        "x_exits": "counter",
        "x_size_bytes": "gauge",
        "x_time_seconds": "histogram",
        "x_build": "info",
        "x_state": "stateset",
        "x_alarms": "gauge",
    } == {name: metric.type for name, metric in metrics.items()}
    assert "bytes" == metrics["x_size_bytes"].unit
    assert 'Alarms, "raised"\n\\ and kept.' == metrics["x_alarms"].documentation


def test_a_histogram_s_buckets_are_cumulative() -> None:
    out = Exposition(FAMILIES)
    out.add_histogram(TIME, (0.1, 1.0), (2, 1, 4), 12.5, "rpd")
    samples = read(out)["x_time_seconds"].samples

    assert [("0.1", 2), ("1.0", 3), ("+Inf", 7)] == [
        (s.labels["le"], s.value) for s in samples if s.name.endswith("_bucket")
    ]
    assert [7, 12.5] == [s.value for s in samples if not s.name.endswith("_bucket")]


def test_a_family_without_samples_is_left_out() -> None:
    assert "# EOF\n" == Exposition(FAMILIES).text()


def test_the_wrong_number_of_labels_is_a_defect() -> None:
    with pytest.raises(ValueError):
        Exposition(FAMILIES).add(EXITS, 1, "rpd")


def test_a_counter_is_asked_for_with_its_suffix() -> None:
    assert ["x_exits_total", "x_size_bytes", "x_build_info"] == [
        family.shown for family in (EXITS, SIZE, BUILD)
    ]


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_survives_as_a_label(text: str) -> None:
    out = Exposition(FAMILIES)
    out.add(EXITS, 1, "rpd", text)
    (sample,) = read(out)["x_exits"].samples

    assert text == sample.labels["cause"]


@given(st.floats(0, allow_nan=False) | st.integers(0, 2**53))
def test_any_value_survives(value: float) -> None:
    out = Exposition(FAMILIES)
    out.add(SIZE, value, "rpd")
    (sample,) = read(out)["x_size_bytes"].samples

    assert value == sample.value

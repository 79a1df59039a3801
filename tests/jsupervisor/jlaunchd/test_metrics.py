"""One sample of everything as text, as a message, and as docs/metrics.md describes it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from jprotos.runtime.v1 import runtime_pb2
from jsupervisor.jlaunchd import metrics
from jsupervisor.jlaunchd.heartstats import HeartCount
from jsupervisor.jlaunchd.metrics import FAMILIES, ProcessSample, Sample
from jsupervisor.jlaunchd.openmetrics import Family
from jsupervisor.jlaunchd.tally import ProcessTally
from jsupervisor.jlaunchd.usage import Usage

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def rpd() -> ProcessSample:
    tally = ProcessTally(exits={"signal:SIGKILL": 2, "requested:stop": 1}, failures=2, hangs=1)
    tally.downtime.add(0.05)
    tally.downtime.add(0.2)
    tally.ready.add(0.02)
    tally.ready_seconds = 0.02
    stats = runtime_pb2.StatsReply(log_dropped=3, rpcs_in_flight=4)
    stats.rpcs.add(
        method="/jprotos.rpd.v1.Routes/Load", code="OK", handled=9, nanoseconds=1_500_000_000
    )
    return ProcessSample(
        name="rpd",
        executable="rpd",
        state="up",
        pid=77,
        incarnation=4,
        restarts=3,
        tally=tally,
        heart=HeartCount(asked=10, missed=1, seconds=0.001),
        usage=Usage(
            cpu_seconds=1.25,
            resident_bytes=1 << 20,
            virtual_bytes=1 << 24,
            threads=5,
            open_fds=12,
            start_time=4200,
        ),
        stats=stats,
    )


def sample(*processes: ProcessSample) -> Sample:
    return Sample(
        monotonic_ns=1,
        version="0.1.0",
        instance="default",
        profile="vmx",
        architecture="modular",
        processes=processes,
        events={"exit": 3, "ready": 2},
        journal_errors=1,
        alarms=2,
        watchers=3,
        watchers_cut=4,
    )


def read(text: str) -> dict[str, Metric]:
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {metric.name: metric for metric in families}


def values(metrics: dict[str, Metric], name: str, **labels: str) -> list[float]:
    return [
        s.value
        for s in metrics[f"jsupervisor_{name}"].samples
        if labels.items() <= s.labels.items() and "_bucket" not in s.name
    ]


def test_a_parser_finds_what_a_process_has_been_through() -> None:
    found = read(metrics.text(sample(rpd())))

    assert [1] == values(found, "up", module="rpd")
    assert [4] == values(found, "incarnation", module="rpd")
    assert [3] == values(found, "restarts", module="rpd")
    assert [2] == values(found, "exits", module="rpd", cause="signal:SIGKILL")
    assert [2] == values(found, "failures", module="rpd")
    assert [1] == values(found, "hangs", module="rpd")
    assert [2, 0.25] == values(found, "downtime_seconds", module="rpd")
    assert [9] == values(found, "rpc_handled", service="jprotos.rpd.v1.Routes", method="Load")
    assert [1.5] == values(found, "rpc_handling_seconds", code="OK")
    assert [12] == values(found, "process_open_fds", module="rpd")
    assert [10, 1] == [*values(found, "heartbeats"), *values(found, "heartbeats_missed")]


def test_exactly_one_state_holds() -> None:
    found = read(metrics.text(sample(replace(rpd(), state="backoff"))))
    states = {s.labels["jsupervisor_state"]: s.value for s in found["jsupervisor_state"].samples}

    assert {"backoff": 1.0} == {state: value for state, value in states.items() if value}
    assert set(metrics.STATES) == set(states)
    assert [0] == values(found, "up", module="rpd")


def test_of_a_process_that_does_not_answer_only_what_is_known_is_told() -> None:
    bare = replace(rpd(), heart=None, usage=None, stats=None)
    found = read(metrics.text(sample(bare)))

    assert "jsupervisor_process_cpu_seconds" not in found
    assert "jsupervisor_rpc_handled" not in found
    assert "jsupervisor_heartbeats" not in found
    assert [2] == values(found, "failures", module="rpd")


def test_the_message_says_the_same_as_the_text() -> None:
    reply = metrics.message(sample(rpd()))
    (process,) = reply.processes

    assert ("rpd", "up", 77, 4, 3) == (
        process.name,
        process.state,
        process.pid,
        process.incarnation,
        process.restarts,
    )
    assert {"signal:SIGKILL": 2, "requested:stop": 1} == dict(process.exits)
    assert (0.25, 2) == (process.downtime_seconds, process.downtimes)
    assert (1.25, 1 << 20, 12, 5) == (
        process.cpu_seconds,
        process.resident_bytes,
        process.open_fds,
        process.threads,
    )
    assert (9, 1.5) == (process.rpcs[0].handled, process.rpcs[0].seconds)
    assert (5, 1, 2, 3, 4) == (
        reply.supervisor.events,
        reply.supervisor.journal_errors,
        reply.supervisor.alarms,
        reply.supervisor.watchers,
        reply.supervisor.watchers_cut,
    )


def test_the_message_is_about_those_asked_for() -> None:
    both = sample(rpd(), replace(rpd(), name="dcd"))

    assert ["dcd"] == [p.name for p in metrics.message(both, ["dcd"]).processes]
    assert ["rpd", "dcd"] == [p.name for p in metrics.message(both).processes]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_follows_the_conventions(family: Family) -> None:
    assert re.fullmatch(r"jsupervisor_[a-z_]+[a-z]", family.name)
    assert not family.name.endswith("_total")
    assert family.help[:1].isupper() and family.help.endswith((".", "?"))
    assert not family.unit or family.name.endswith(f"_{family.unit}")


def test_the_page_describes_every_family_as_it_is() -> None:
    rows = re.findall(
        r"^\| `(jsupervisor_\w+)` \| (\w+) \| ([^|]*) \|", PAGE.read_text(), re.MULTILINE
    )

    assert [
        (family.shown, family.kind, " ".join(f"`{label}`" for label in family.labels))
        for family in FAMILIES
    ] == [(name, kind, labels.strip()) for name, kind, labels in rows]

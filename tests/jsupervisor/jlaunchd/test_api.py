"""What operators get over gRPC is what the supervisor knows."""

from __future__ import annotations

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.api import event_message, module_message

RECORD: Message = {
    "name": "rpd",
    "event": "ready",
    "incarnation": 2,
    "cause": "",
    "monotonic_ns": 17,
    "time": "2026-11-23T09:00:00.000000Z",
    "downtime_ms": 21.5,
    "attempt": 1,
    "next": "",
}


def test_an_event_carries_its_downtime() -> None:
    expected = pb.Event(
        name="rpd",
        event="ready",
        incarnation=2,
        monotonic_ns=17,
        time="2026-11-23T09:00:00.000000Z",
        downtime_ms=21.5,
        attempt=1,
    )

    assert expected == event_message(RECORD)


def test_an_event_without_a_downtime_says_none() -> None:
    message = event_message({**RECORD, "downtime_ms": None})

    assert not message.HasField("downtime_ms")


def test_a_module_that_is_down_has_pid_zero() -> None:
    published: Message = {
        "name": "rpd",
        "executable": "rpd",
        "cli_name": "routing",
        "display_name": "Routing protocols process",
        "pid": None,
        "incarnation": 3,
        "state": "failed",
        "socket": "/run/rpd/plain.sock",
        "ready_at": None,
        "restarts": 2,
        "last_cause": "signal:SIGKILL",
        "policy": "junos",
        "group": None,
        "failures": 4,
        "waits_for": ["dcd"],
    }
    expected = pb.Module(
        name="rpd",
        executable="rpd",
        cli_name="routing",
        display_name="Routing protocols process",
        incarnation=3,
        state="failed",
        restarts=2,
        last_cause="signal:SIGKILL",
        policy="junos",
        failures=4,
        waits_for=["dcd"],
    )

    assert expected == module_message(published)

"""What jlaunchd's answer becomes."""

from __future__ import annotations

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.top.samples import Calls, Counts, counts_of


def test_every_counter_of_the_answer_is_taken() -> None:
    process = pb.ProcessMetrics(
        name="rpd", pid=13, incarnation=2, restarts=1, exits={"signal:SIGKILL": 1}, failures=1,
        hangs=3, thrashes=4, downtime_seconds=0.25, downtimes=1, ready_seconds=0.125, heartbeats=9,
        heartbeats_missed=2, heartbeat_seconds=0.5, heartbeat_ns=77,
        rpcs=[pb.RpcMetrics(method="/a.B/C", code="OK", handled=5, seconds=1.5)],
    )  # fmt: skip

    assert (
        Counts(
            pid=13, incarnation=2, restarts=1, failures=1, hangs=3, thrashes=4,
            exits={"signal:SIGKILL": 1}, downtime_seconds=0.25, downtimes=1, ready_seconds=0.125,
            heartbeats=9, heartbeats_missed=2, heartbeat_seconds=0.5, heartbeat_ns=77,
            calls=(Calls("/a.B/C", "OK", 5, 1.5),),
        )
        == counts_of(process)
    )  # fmt: skip


def test_work_is_what_is_not_called_just_to_look() -> None:
    calls = (
        Calls("/jprotos.runtime.v1.Runtime/Heartbeat", "OK", 100, 0.0),
        Calls("/jprotos.runtime.v1.Runtime/Stats", "OK", 10, 0.0),
        Calls("/jprotos.jlaunchd.v1.Supervisor/Metrics", "OK", 10, 0.0),
        Calls("/jprotos.runtime.v1.Runtime/Get", "OK", 3, 0.0),
        Calls("/jprotos.runtime.v1.Runtime/Get", "NOT_FOUND", 1, 0.0),
    )

    assert 4 == Counts(calls=calls).work


def test_work_of_a_process_that_tells_no_calls_is_not_known() -> None:
    assert counts_of(pb.ProcessMetrics(name="pfe0")).work is None

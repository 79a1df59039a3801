"""alarmd over real gRPC."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path

import grpc
import pytest
import trio

from jdaemons.alarmd.daemon import Alarmd
from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.feed import Change, FeedSource
from jsupervisor.runtime.rpc import RpcError

ALARM = alarmd_pb2.Alarm(
    source="jlaunchd",
    alarm_class=alarmd_pb2.ALARM_CLASS_MAJOR,
    description="routing is thrashing, not restarted",
    short_description="rpd thrashing",
    type="System",
)
KEY = "jlaunchd/rpd thrashing"


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


class Listener(Daemon):
    """Stands for mgd: hears of alarms."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(make_order(run_dir, "mgd"))
        self.send, self.changes = trio.open_memory_channel[Change](100)

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("alarmd", "alarms"),)

    async def on_change(self, change: Change) -> None:
        await self.send.send(change)


async def raise_alarm(running: RunningDaemon[Alarmd], alarm: alarmd_pb2.Alarm = ALARM) -> None:
    client = running.client("jlaunchd")
    stub = alarmd_pb2_grpc.AlarmsStub(client.channel)
    await client.unary(stub.Raise, alarmd_pb2.RaiseRequest(alarm=alarm), timeout=5)


async def clear_alarm(running: RunningDaemon[Alarmd], short_description: str) -> None:
    client = running.client("jlaunchd")
    stub = alarmd_pb2_grpc.AlarmsStub(client.channel)
    request = alarmd_pb2.ClearRequest(source="jlaunchd", short_description=short_description)
    await client.unary(stub.Clear, request, timeout=5)


async def test_an_alarm_is_raised_shown_and_cleared(run_dir: Path) -> None:
    mgd = Listener(run_dir)
    async with run_daemon(Alarmd(make_order(run_dir, "alarmd"))) as alarmd, run_daemon(mgd):
        await alarmd.ready.wait()
        await raise_alarm(alarmd)
        raised = await mgd.changes.receive()
        client = alarmd.client()
        get = runtime_pb2.GetRequest(name="alarm-information")
        reply = await client.unary(runtime_pb2_grpc.RuntimeStub(client.channel).Get, get, timeout=5)
        await clear_alarm(alarmd, "rpd thrashing")
        cleared = await mgd.changes.receive()

    published = alarmd_pb2.Alarm.FromString(raised.upserts[KEY])
    assert ALARM.description == published.description
    assert published.time.endswith("Z")
    shown = json.loads(reply.json)["alarm-information"]
    assert {"active-alarm-count": "1"} == shown["alarm-summary"]
    assert "Major" == shown["alarm-detail"][0]["alarm-class"]
    assert {KEY} == cleared.removed
    tags = [record.tag for record in alarmd.records if record.tag.startswith("ALARMD")]
    assert ["ALARMD_ALARM_SET", "ALARMD_ALARM_CLEARED"] == tags


async def test_an_alarm_that_its_owner_raises_again_at_a_successor_stays_what_it_was(
    run_dir: Path,
) -> None:
    mgd = Listener(run_dir)
    alarm = alarmd_pb2.Alarm()
    alarm.CopyFrom(ALARM)
    alarm.time = "2020-01-02T03:04:05Z"
    async with run_daemon(mgd):
        async with run_daemon(Alarmd(make_order(run_dir, "alarmd"))) as alarmd:
            await raise_alarm(alarmd, alarm)
            first = await mgd.changes.receive()
        async with run_daemon(Alarmd(make_order(run_dir, "alarmd", incarnation=2))) as alarmd:
            await raise_alarm(alarmd, alarm)
            known = dict(alarmd.daemon.alarms.items)

    assert known == dict(first.upserts)


@pytest.mark.parametrize("change", ["source", "short_description", "description"])
async def test_a_request_that_lacks_something_is_answered_with_a_status(
    run_dir: Path, change: str
) -> None:
    alarm = alarmd_pb2.Alarm()
    alarm.CopyFrom(ALARM)
    alarm.ClearField(change)  # type: ignore[arg-type]
    async with run_daemon(Alarmd(make_order(run_dir, "alarmd"))) as alarmd:
        with pytest.raises(RpcError, match=r"^cannot ") as refused:
            await raise_alarm(alarmd, alarm)
        with pytest.raises(RpcError, match=r"^cannot "):
            await clear_alarm(alarmd, "")

    assert grpc.StatusCode.INVALID_ARGUMENT == refused.value.code
    assert {} == alarmd.daemon.core.active


async def test_a_source_with_too_many_alarms_is_told_so(run_dir: Path) -> None:
    async with run_daemon(Alarmd(make_order(run_dir, "alarmd"))) as alarmd:
        await raise_alarm(alarmd)
        known = alarmd.daemon.core.active.pop(KEY)
        alarmd.daemon.core.active.update({str(number): known for number in range(1000)})
        with pytest.raises(RpcError, match="cannot raise another alarm") as refused:
            await raise_alarm(alarmd)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED == refused.value.code

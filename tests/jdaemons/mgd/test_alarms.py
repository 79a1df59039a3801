"""The alarm about a damaged file, told to an alarmd that comes, goes and forgets."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import grpc
import pytest
import trio

from jdaemons.mgd.alarms import SHORT, DamageAlarm
from jprotos.alarmd.v1 import alarmd_pb2 as pb
from jprotos.alarmd.v1 import alarmd_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import client_to, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.rpc import Seam


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


class Alarmd(Daemon, alarmd_pb2_grpc.AlarmsServicer):
    """Notes what it is told."""

    def __init__(self, run_dir: Path, incarnation: int = 1) -> None:
        super().__init__(make_order(run_dir, "alarmd", incarnation=incarnation))
        self.send, self.heard = trio.open_memory_channel[str](100)

    def services(self, seam: Seam, server: grpc.Server) -> None:
        self._seam = seam
        alarmd_pb2_grpc.add_AlarmsServicer_to_server(self, server)

    def Raise(self, request: pb.RaiseRequest, context: grpc.ServicerContext) -> pb.RaiseReply:
        return self._seam.unary(context, self._raise, request)

    def Clear(self, request: pb.ClearRequest, context: grpc.ServicerContext) -> pb.ClearReply:
        return self._seam.unary(context, self._clear, request)

    async def _raise(self, request: pb.RaiseRequest) -> pb.RaiseReply:
        alarm = request.alarm
        assert (SHORT, pb.ALARM_CLASS_MINOR) == (alarm.short_description, alarm.alarm_class)
        self.send.send_nowait(f"raise {alarm.source}: {alarm.description}")
        return pb.RaiseReply()

    async def _clear(self, request: pb.ClearRequest) -> pb.ClearReply:
        self.send.send_nowait(f"clear {request.source}/{request.short_description}")
        return pb.ClearReply()


async def test_nothing_holds_is_said_once_then_what_holds_then_that_it_is_over(
    run_dir: Path, nursery: trio.Nursery
) -> None:
    alarm, alarmd = DamageAlarm("mgd"), Alarmd(run_dir)
    client = client_to(run_dir, "alarmd", "mgd")
    async with run_daemon(alarmd):
        nursery.start_soon(alarm.run, client)
        heard = []
        for description in ("", "broken", "broken otherwise", ""):
            alarm.set(description)
            heard.append(await alarmd.heard.receive())
        nursery.cancel_scope.cancel()
    await client.aclose()

    assert [
        "clear mgd/configuration damaged",
        "raise mgd: broken",
        "raise mgd: broken otherwise",
        "clear mgd/configuration damaged",
    ] == heard


async def test_an_alarmd_that_comes_late_or_forgets_hears_what_holds(
    run_dir: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jdaemons.mgd.alarms.RETRY", 0.01)
    monkeypatch.setattr("jdaemons.mgd.alarms.AGAIN", 0.01)
    alarm = DamageAlarm("mgd")
    alarm.set("broken")
    client = client_to(run_dir, "alarmd", "mgd")
    nursery.start_soon(alarm.run, client)
    heard = []
    for incarnation in (1, 2):
        alarmd = Alarmd(run_dir, incarnation)
        async with run_daemon(alarmd):
            heard.append(await alarmd.heard.receive())
    nursery.cancel_scope.cancel()
    await client.aclose()

    assert ["raise mgd: broken"] * 2 == heard

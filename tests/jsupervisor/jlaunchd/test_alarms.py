"""An alarm stays raised at alarmd, whatever happens to alarmd."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import trio
import trio.testing

from jprotos.alarmd.v1 import alarmd_pb2 as pb
from jprotos.alarmd.v1 import alarmd_pb2_grpc
from jsupervisor.jlaunchd.alarms import Alarms
from jsupervisor.runtime.rpc import CHANNEL_OPTIONS, Client


class Recorder(alarmd_pb2_grpc.AlarmsServicer):
    """An alarmd that notes what it is told."""

    def __init__(self, token: trio.lowlevel.TrioToken) -> None:
        self._token = token
        self._send, self.calls = trio.open_memory_channel[str](100)

    def _note(self, text: str) -> None:
        trio.from_thread.run_sync(self._send.send_nowait, text, trio_token=self._token)

    def Raise(self, request: pb.RaiseRequest, context: grpc.ServicerContext) -> pb.RaiseReply:
        self._note(f"raise {request.alarm.short_description}: {request.alarm.description}")
        return pb.RaiseReply()

    def Clear(self, request: pb.ClearRequest, context: grpc.ServicerContext) -> pb.ClearReply:
        self._note(f"clear {request.short_description}")
        return pb.ClearReply()


def client_to(path: Path) -> Client:
    return Client(grpc.insecure_channel(f"unix:{path}", options=CHANNEL_OPTIONS))


@asynccontextmanager
async def alarmd(path: Path) -> AsyncIterator[Recorder]:
    """A recorder that serves at `path`."""
    recorder = Recorder(trio.lowlevel.current_trio_token())
    server = grpc.server(ThreadPoolExecutor(2))
    alarmd_pb2_grpc.add_AlarmsServicer_to_server(recorder, server)
    server.add_insecure_port(f"unix:{path}")
    server.start()
    try:
        yield recorder
    finally:
        await trio.to_thread.run_sync(server.stop(0).wait)


def test_only_the_difference_is_still_to_be_told() -> None:
    alarms = Alarms()
    alarms.raise_alarm("rpd", "routing is thrashing, not restarted")
    alarms.clear("dcd")

    assert ({"rpd": "routing is thrashing, not restarted"}, []) == alarms.difference()


async def test_an_alarm_is_raised_once_and_cleared_once(tmp_path: Path) -> None:
    alarms = Alarms()
    client = client_to(tmp_path / "alarmd.sock")
    async with alarmd(tmp_path / "alarmd.sock") as server, trio.open_nursery() as nursery:
        nursery.start_soon(alarms.run, client)
        alarms.raise_alarm("rpd", "thrashing")
        raised = await server.calls.receive()
        alarms.clear("rpd")
        cleared = await server.calls.receive()
        nursery.cancel_scope.cancel()
    await client.aclose()

    assert ("raise rpd thrashing: thrashing", "clear rpd thrashing") == (raised, cleared)


async def test_an_alarm_waits_for_an_alarmd_that_is_not_there_yet(tmp_path: Path) -> None:
    alarms = Alarms()
    alarms.raise_alarm("rpd", "thrashing")
    client = client_to(tmp_path / "alarmd.sock")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarms.run, client)
        await trio.testing.wait_all_tasks_blocked()
        async with alarmd(tmp_path / "alarmd.sock") as server:
            raised = await server.calls.receive()
        nursery.cancel_scope.cancel()
    await client.aclose()

    assert "raise rpd thrashing: thrashing" == raised


async def test_an_alarmd_that_started_anew_is_told_again(tmp_path: Path) -> None:
    alarms = Alarms()
    client = client_to(tmp_path / "alarmd.sock")
    async with alarmd(tmp_path / "alarmd.sock") as server, trio.open_nursery() as nursery:
        nursery.start_soon(alarms.run, client)
        alarms.raise_alarm("rpd", "thrashing")
        first = await server.calls.receive()
        alarms.forget_told()
        second = await server.calls.receive()
        nursery.cancel_scope.cancel()
    await client.aclose()

    assert first == second

"""The two servers of a module, seen from outside."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import grpc
import pytest
import trio
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.callers import ALLOWED
from jsupervisor.runtime.fakes import client_to, make_identity, make_order
from jsupervisor.runtime.rpc import CHANNEL_OPTIONS, RpcError
from jsupervisor.runtime.servers import Servers
from jsupervisor.runtime.sockets import SocketPathError

Result = TypeVar("Result")


class Alarms(alarmd_pb2_grpc.AlarmsServicer):
    """Takes every alarm."""

    def Raise(
        self, request: alarmd_pb2.RaiseRequest, context: grpc.ServicerContext
    ) -> alarmd_pb2.RaiseReply:
        return alarmd_pb2.RaiseReply()

    def Clear(
        self, request: alarmd_pb2.ClearRequest, context: grpc.ServicerContext
    ) -> alarmd_pb2.ClearReply:
        return alarmd_pb2.ClearReply()


def make_servers(run_dir: Path) -> Servers:
    order = make_order(run_dir, "alarmd")
    return Servers(order, make_identity(run_dir, "alarmd"), ALLOWED, 4, print)


@asynccontextmanager
async def served(run_dir: Path) -> AsyncGenerator[Servers, None]:
    servers = make_servers(run_dir)
    alarmd_pb2_grpc.add_AlarmsServicer_to_server(Alarms(), servers.rpc)
    servers.start_plain()
    servers.start_rpc()
    try:
        yield servers
    finally:
        await servers.stop()


async def ask(run_dir: Path, question: Callable[[grpc.Channel], Result]) -> Result:
    def work() -> Result:
        target = f"unix:{run_dir}/alarmd/plain.sock"
        with grpc.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
            return question(channel)

    return await trio.to_thread.run_sync(work)


def status(channel: grpc.Channel) -> int:
    request = health_pb2.HealthCheckRequest()
    return int(health_pb2_grpc.HealthStub(channel).Check(request, timeout=5).status)


def services(channel: grpc.Channel) -> set[str]:
    database = ProtoReflectionDescriptorDatabase(channel)
    method = DescriptorPool(database).FindServiceByName("jprotos.alarmd.v1.Alarms").methods[0]

    assert "Raise" == method.name
    return set(database.get_services())


async def test_health_says_serving_exactly_while_ready(run_dir: Path) -> None:
    async with served(run_dir) as servers:
        before = await ask(run_dir, status)
        servers.set_ready(True)
        while_ready = await ask(run_dir, status)
        servers.set_ready(False)
        after = await ask(run_dir, status)

    reply = health_pb2.HealthCheckResponse
    assert [reply.NOT_SERVING, reply.SERVING, reply.NOT_SERVING] == [before, while_ready, after]


async def test_reflection_on_the_plain_socket_knows_the_modules_services(run_dir: Path) -> None:
    async with served(run_dir):
        names = await ask(run_dir, services)

    assert {"jprotos.alarmd.v1.Alarms", "grpc.health.v1.Health"} < names


async def test_a_caller_without_the_right_is_refused_before_its_message(run_dir: Path) -> None:
    client = client_to(run_dir, "alarmd", "stranger")
    garbage: grpc.UnaryUnaryMultiCallable[bytes, bytes] = client.channel.unary_unary(
        "/jprotos.alarmd.v1.Alarms/Raise"
    )
    async with served(run_dir):
        with pytest.raises(RpcError, match="cannot let stranger use") as caught:
            await client.unary(garbage, b"\xff\xff", timeout=5)
    await client.aclose()

    assert grpc.StatusCode.PERMISSION_DENIED == caught.value.code


async def test_a_caller_with_the_right_is_answered(run_dir: Path) -> None:
    client = client_to(run_dir, "alarmd", "pfectl0")
    method = alarmd_pb2_grpc.AlarmsStub(client.channel).Raise
    async with served(run_dir):
        reply = await client.unary(method, alarmd_pb2.RaiseRequest(), timeout=5)
    await client.aclose()

    assert alarmd_pb2.RaiseReply() == reply


async def test_a_method_that_is_not_there_is_unimplemented(run_dir: Path) -> None:
    client = client_to(run_dir, "alarmd", "operator")
    tail = eventd_pb2_grpc.LogStub(client.channel).Tail
    async with served(run_dir):
        with pytest.raises(RpcError) as caught:
            async with client.stream(tail, eventd_pb2.TailRequest()) as replies:
                async for _ in replies:
                    pass
    await client.aclose()

    assert grpc.StatusCode.UNIMPLEMENTED == caught.value.code


async def test_nothing_is_left_after_a_stop(run_dir: Path) -> None:
    async with served(run_dir):
        names = set(os.listdir(run_dir / "alarmd"))

    assert {"plain.sock", "plain.1.sock", "rpc.sock", "rpc.1.sock"} == names
    assert [] == os.listdir(run_dir / "alarmd")


async def test_a_call_that_does_not_end_cannot_hold_up_the_stop(run_dir: Path) -> None:
    entered, release = trio.Event(), trio.Event()
    token = trio.lowlevel.current_trio_token()

    class Stuck(Alarms):
        def Raise(
            self, request: alarmd_pb2.RaiseRequest, context: grpc.ServicerContext
        ) -> alarmd_pb2.RaiseReply:
            token.run_sync_soon(entered.set)
            trio.from_thread.run(release.wait, trio_token=token)
            return alarmd_pb2.RaiseReply()

    servers = make_servers(run_dir)
    alarmd_pb2_grpc.add_AlarmsServicer_to_server(Stuck(), servers.rpc)
    servers.start_rpc()
    client = client_to(run_dir, "alarmd", "rpd")
    method = alarmd_pb2_grpc.AlarmsStub(client.channel).Raise

    async def call() -> None:
        with pytest.raises(RpcError):
            await client.unary(method, alarmd_pb2.RaiseRequest(), timeout=60)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        await entered.wait()
        await servers.stop()
        release.set()
    await client.aclose()


async def test_a_folder_that_is_not_there_is_one_clear_line(run_dir: Path) -> None:
    order = replace(make_order(run_dir, "alarmd"), run_dir=str(run_dir / "gone"))
    servers = Servers(order, make_identity(run_dir, "alarmd"), ALLOWED, 4, print)
    with pytest.raises(SocketPathError, match="cannot make the socket"):
        servers.start_plain()
    await servers.stop()

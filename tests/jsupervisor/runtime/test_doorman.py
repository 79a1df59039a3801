"""A doorman's callers notice nothing of it; without callers there are no servers."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import grpc
import pytest
import trio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.paths import PLAIN, RPC, socket_path
from jsupervisor.runtime import doorman
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.doorman import Doorman
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir


class Dozer(Daemon):
    """Serves only while somebody calls."""

    dozes = True


@asynccontextmanager
async def dozing() -> AsyncGenerator[RunningDaemon[Dozer], None]:
    """One that has just become ready."""
    with short_run_dir() as run_dir:
        async with run_daemon(Dozer(make_order(run_dir, "rpd"))) as running:
            await running.ready.wait()
            yield running


def the_doorman(running: RunningDaemon[Dozer]) -> Doorman:
    """Who stands at its sockets."""
    found = running.host._servers
    assert isinstance(found, Doorman)
    return found


async def beat(running: RunningDaemon[Dozer]) -> int:
    """One call by a new connection; the incarnation that answers."""
    client = running.client()
    stub = runtime_pb2_grpc.RuntimeStub(client.channel)
    reply = await client.unary(stub.Heartbeat, runtime_pb2.HeartbeatRequest(), timeout=10)
    await client.aclose()
    return reply.incarnation


def health(running: RunningDaemon[Dozer]) -> int:
    """What the plain socket says."""
    order = running.daemon.order
    path = socket_path(order.run_dir, order.name, PLAIN)
    with grpc.insecure_channel(f"unix:{path}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        status: int = stub.Check(
            health_pb2.HealthCheckRequest(), timeout=10, wait_for_ready=True
        ).status
    return status


async def until_asleep(running: RunningDaemon[Dozer]) -> None:
    """The servers have ended."""
    with trio.fail_after(20):
        while the_doorman(running).awake:
            await trio.sleep(0.005)


async def test_without_a_caller_there_are_no_servers() -> None:
    async with dozing() as running:
        order = running.daemon.order
        links = [os.path.exists(socket_path(order.run_dir, order.name, k)) for k in (PLAIN, RPC)]

        assert not the_doorman(running).awake
        assert [True, True] == links


async def test_a_call_wakes_the_servers_and_is_answered() -> None:
    async with dozing() as running:
        assert 1 == await beat(running)
        assert the_doorman(running).awake


async def test_the_plain_socket_answers_too() -> None:
    async with dozing() as running:
        found = await trio.to_thread.run_sync(health, running)

        assert health_pb2.HealthCheckResponse.SERVING == found


async def test_after_the_last_caller_the_servers_end_and_the_next_one_wakes_them_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doorman, "DOZE", 0.02)
    async with dozing() as running:
        for _ in range(3):
            assert 1 == await beat(running)
            await until_asleep(running)


async def test_while_somebody_is_connected_the_servers_stay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doorman, "DOZE", 0.02)
    async with dozing() as running:
        client = running.client()
        stub = runtime_pb2_grpc.RuntimeStub(client.channel)
        await client.unary(stub.Heartbeat, runtime_pb2.HeartbeatRequest(), timeout=10)
        await trio.sleep(0.1)
        awake = the_doorman(running).awake
        await client.aclose()
        await until_asleep(running)

    assert awake


async def test_many_callers_at_once_are_all_answered() -> None:
    answers: list[int] = []

    async def call(running: RunningDaemon[Dozer]) -> None:
        answers.append(await beat(running))

    async with dozing() as running, trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(call, running)

    assert [1] * 20 == answers


async def test_a_caller_that_says_nothing_and_goes_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doorman, "DOZE", 0.02)
    async with dozing() as running:
        order = running.daemon.order
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(socket_path(order.run_dir, order.name, RPC))
        await trio.sleep(0.05)

        assert 1 == await beat(running)
        await until_asleep(running)


async def test_an_orderly_end_leaves_no_socket() -> None:
    async with dozing() as running:
        folder = os.path.dirname(
            socket_path(running.daemon.order.run_dir, running.daemon.order.name, RPC)
        )
        await beat(running)
        running.stop()
        await running.ended.wait()

        assert [] == os.listdir(folder)


async def test_a_predecessors_hidden_sockets_are_swept() -> None:
    with short_run_dir() as run_dir:
        order = make_order(run_dir, "rpd", incarnation=2)
        folder = os.path.dirname(socket_path(order.run_dir, order.name, RPC))
        for name in (".rpc.1.1.sock", ".plain.1.7.sock", "rpc.1.sock"):
            with open(os.path.join(folder, name), "w"):
                pass
        async with run_daemon(Dozer(order)) as running:
            await running.ready.wait()
            found = sorted(os.listdir(folder))

    assert ["plain.2.sock", "plain.sock", "rpc.2.sock", "rpc.sock"] == found

"""One daemon over real sockets: readiness, health, feeds, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import grpc
import trio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import make_order, run_daemon
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import CHANNEL_OPTIONS


class Chassisd(Daemon):
    """Publishes ports."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.ports = Publisher("ports")

    def publishers(self) -> Sequence[Publisher]:
        return (self.ports,)


class Dcd(Daemon):
    """Consumes ports."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.changes: list[Change] = []
        self.changed = trio.Event()

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("chassisd", "ports"),)

    async def on_change(self, change: Change) -> None:
        self.changes.append(change)
        self.changed.set()


async def health(run_dir: Path, name: str) -> int:
    target = f"unix:{run_dir}/{name}/plain.sock"

    def check() -> int:
        with grpc.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True)
            return int(reply.status)

    return await trio.to_thread.run_sync(check)


async def test_a_daemon_without_feeds_is_ready_at_once_and_leaves_nothing(run_dir: Path) -> None:
    async with run_daemon(Daemon(make_order(run_dir, "rpd"))) as rpd:
        await rpd.ready.wait()
        status = await health(run_dir, "rpd")
        client = rpd.client("jlaunchd")
        stub = runtime_pb2_grpc.RuntimeStub(client.channel)
        request = runtime_pb2.HeartbeatRequest(number=7)
        beat = await client.unary(stub.Heartbeat, request, timeout=5)
        stages = rpd.init.stages

    assert health_pb2.HealthCheckResponse.SERVING == status
    assert (7, 1) == (beat.number, beat.incarnation)
    assert 0 < beat.thread_ns <= beat.loop_ns
    assert ["serving", "ready"] == stages
    assert [] == os.listdir(run_dir / "rpd")


async def test_a_consumer_is_ready_when_its_producer_is_synced(run_dir: Path) -> None:
    chassisd, dcd = Chassisd(make_order(run_dir, "chassisd")), Dcd(make_order(run_dir, "dcd"))
    chassisd.ports.set("ge-0/0/0", b"up")
    async with run_daemon(dcd) as consumer:
        before = await health(run_dir, "dcd")
        async with run_daemon(chassisd):
            await consumer.ready.wait()

    assert health_pb2.HealthCheckResponse.NOT_SERVING == before
    assert [{"ge-0/0/0": b"up"}] == [change.upserts for change in dcd.changes]

"""Feeds over real gRPC: deaths of either end, refusals, and a consumer that does not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
import pytest
import trio
import trio.testing

from jprotos.feed.v1 import feed_pb2, feed_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import make_order, run_daemon
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import RpcError


class Rpd(Daemon):
    """Publishes a fib."""

    def __init__(self, order: Order, routes: Mapping[bytes, bytes]) -> None:
        super().__init__(order)
        self.fib = Publisher("fib", key_size=4, value_size=4)
        self.fib.set_packed(routes)

    def publishers(self) -> Sequence[Publisher]:
        return (self.fib,)


class Pfectl(Daemon):
    """Consumes it."""

    def __init__(self, order: Order, *sources: FeedSource) -> None:
        super().__init__(order)
        self.changes: list[Change] = []
        self.routes: dict[bytes, bytes] = {}
        self.sources = sources or (FeedSource("rpd", "fib"),)
        self.gate = trio.Event()
        self.gate.set()

    def feeds_in(self) -> Sequence[FeedSource]:
        return self.sources

    async def on_change(self, change: Change) -> None:
        await self.gate.wait()
        self.changes.append(change)
        self.routes.update(change.packed_upserts)
        for key in change.packed_removed:
            del self.routes[key]


def route(number: int) -> bytes:
    return number.to_bytes(4, "big")


def routes(count: int) -> dict[bytes, bytes]:
    return {route(number): b"nh-1" for number in range(count)}


async def until(condition: object) -> None:
    assert callable(condition)
    with trio.fail_after(10):
        while not condition():
            await trio.sleep(0.005)


async def test_a_restarted_producer_with_the_same_state_changes_nothing(run_dir: Path) -> None:
    pfectl = Pfectl(make_order(run_dir, "pfectl0"))
    async with run_daemon(pfectl) as consumer:
        for incarnation in (1, 2, 3):
            rpd = Rpd(make_order(run_dir, "rpd", incarnation=incarnation), routes(5000))
            async with run_daemon(rpd):
                await consumer.ready.wait()
                await until(lambda: pfectl.session("rpd", "fib").synced)
            await until(lambda: not pfectl.session("rpd", "fib").connected)
        session = pfectl.session("rpd", "fib")

    assert [5000] == [len(change.packed_upserts) for change in pfectl.changes]
    assert (3, 3, 3) == (session.established, session.dropped, session.incarnation)
    assert 0 == session.resync_changes


async def test_what_changed_while_the_producer_was_dead_is_all_that_is_reported(
    run_dir: Path,
) -> None:
    pfectl = Pfectl(make_order(run_dir, "pfectl0"))
    async with run_daemon(pfectl) as consumer:
        async with run_daemon(Rpd(make_order(run_dir, "rpd"), routes(100))):
            await consumer.ready.wait()
        other = {**routes(99), route(500): b"nh-2"}
        async with run_daemon(Rpd(make_order(run_dir, "rpd", incarnation=2), other)):
            await until(lambda: len(pfectl.changes) == 2)
        session = pfectl.session("rpd", "fib")

    assert {route(500): b"nh-2"} == pfectl.changes[1].packed_upserts
    assert {route(99)} == pfectl.changes[1].packed_removed
    assert pfectl.changes[1].resync
    assert 2 == session.resync_changes


async def test_deltas_follow_the_snapshot(run_dir: Path) -> None:
    rpd, pfectl = Rpd(make_order(run_dir, "rpd"), {}), Pfectl(make_order(run_dir, "pfectl0"))
    async with run_daemon(rpd), run_daemon(pfectl) as consumer:
        await consumer.ready.wait()
        rpd.fib.set_packed(routes(3))
        await until(lambda: len(pfectl.routes) == 3)
        rpd.fib.remove_packed([route(1)])
        await until(lambda: len(pfectl.routes) == 2)

    assert [False, False] == [change.resync for change in pfectl.changes]


async def test_a_feed_that_does_not_gate_is_not_waited_for(run_dir: Path) -> None:
    source = FeedSource("rpd", "fib", gating=False)
    async with run_daemon(Pfectl(make_order(run_dir, "pfectl0"), source)) as consumer:
        await consumer.ready.wait()


async def test_a_consumer_that_does_not_read_delays_nobody_and_catches_up(run_dir: Path) -> None:
    rpd = Rpd(make_order(run_dir, "rpd"), {})
    slow, quick = Pfectl(make_order(run_dir, "pfectl0")), Pfectl(make_order(run_dir, "pfectl1"))
    async with run_daemon(rpd), run_daemon(slow) as first, run_daemon(quick) as second:
        await first.ready.wait()
        await second.ready.wait()
        slow.gate = trio.Event()
        for turn in range(50):
            rpd.fib.set_packed({key: route(turn) for key in routes(20_000)})
            await trio.sleep(0)
        await until(lambda: quick.routes == dict(rpd.fib.packed))
        backlog = max(s.backlog for s in rpd.fib._subscriptions)
        behind = len(slow.routes)
        slow.gate.set()
        await until(lambda: slow.routes == dict(rpd.fib.packed))

    assert backlog <= 20_000
    assert 0 == behind


async def test_stats_tell_of_the_sessions(run_dir: Path) -> None:
    rpd, pfectl = Rpd(make_order(run_dir, "rpd"), {}), Pfectl(make_order(run_dir, "pfectl0"))
    async with run_daemon(rpd), run_daemon(pfectl) as consumer:
        await consumer.ready.wait()
        client = consumer.client()
        stats = runtime_pb2_grpc.RuntimeStub(client.channel).Stats
        reply = await client.unary(stats, runtime_pb2.StatsRequest(), timeout=5)

    expected = runtime_pb2.Session(
        producer="rpd", topic="fib", connected=True, synced=True, established=1, incarnation=1
    )
    assert [expected] == list(reply.sessions)


@pytest.mark.parametrize(
    ("caller", "topic", "code"),
    [
        ("rpd", "fib", grpc.StatusCode.PERMISSION_DENIED),
        ("jlaunchd", "fib", grpc.StatusCode.PERMISSION_DENIED),
        ("operator", "ports", grpc.StatusCode.NOT_FOUND),
    ],
)
async def test_a_watch_without_right_or_topic_is_refused(
    run_dir: Path, caller: str, topic: str, code: grpc.StatusCode
) -> None:
    async with run_daemon(Rpd(make_order(run_dir, "rpd"), {})) as rpd:
        client = rpd.client(caller)
        watch = feed_pb2_grpc.FeedStub(client.channel).Watch
        with pytest.raises(RpcError, match="cannot") as caught:
            async with client.stream(watch, feed_pb2.WatchRequest(topic=topic)) as updates:
                async for _ in updates:
                    pass

    assert code == caught.value.code


async def test_a_watcher_that_leaves_is_forgotten(run_dir: Path) -> None:
    daemon = Rpd(make_order(run_dir, "rpd"), {})
    async with run_daemon(daemon) as rpd:
        client = rpd.client()
        watch = feed_pb2_grpc.FeedStub(client.channel).Watch
        async with client.stream(watch, feed_pb2.WatchRequest(topic="fib")) as updates:
            async for _ in updates:
                break
            during = daemon.fib.subscribers
        await until(lambda: daemon.fib.subscribers == 0)

    assert 1 == during

"""rpd over real gRPC between a dcd and an mgd that only publish, and a pfectl that only listens."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest
import trio

from jdaemons.rpd.daemon import Rpd
from jdaemons.rpd.prefix import parse_prefix
from jprotos.dcd.v1 import dcd_pb2
from jprotos.rpd.v1 import rpd_pb2
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.rpc import RpcError


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


class Producer(Daemon):
    """Publishes one topic, and nothing else."""

    def __init__(self, run_dir: Path, name: str, topic: str, incarnation: int = 1) -> None:
        super().__init__(make_order(run_dir, name, incarnation=incarnation))
        self.topic = Publisher(topic)

    def publishers(self) -> Sequence[Publisher]:
        return (self.topic,)


class Pfectl(Daemon):
    """Keeps the forwarding table that it hears of."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(make_order(run_dir, "pfectl0"))
        self.changes: list[Change] = []
        self.next_hops: dict[str, bytes] = {}
        self.routes: dict[bytes, bytes] = {}

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("rpd", "fib"),)

    async def on_change(self, change: Change) -> None:
        self.changes.append(change)
        self.next_hops.update(change.upserts)
        self.routes.update(change.packed_upserts)
        for prefix in change.packed_removed:
            del self.routes[prefix]
        for key in change.removed:
            del self.next_hops[key]

    def gateway(self, prefix: str) -> str | None:
        number = self.routes.get(parse_prefix(prefix).key)
        if number is None:
            return None
        hop = rpd_pb2.NextHop.FromString(self.next_hops[f"nh/{int.from_bytes(number)}"])
        return ".".join(str(octet) for octet in hop.gateway)


def dcd(run_dir: Path, *up: int, incarnation: int = 1) -> Producer:
    producer = Producer(run_dir, "dcd", "interfaces", incarnation)
    for number in (0, 1):
        set_interface(producer, number, number in up)
    return producer


def set_interface(producer: Producer, number: int, up: bool) -> None:
    """ge-0/0/N.0 has the address 10.N.0.1/16."""
    message = dcd_pb2.LogicalInterface(
        name=f"ge-0/0/{number}.0",
        index=number + 1,
        oper_up=up,
        pfe_port=number,
        addresses=[dcd_pb2.Address(local=bytes((10, number, 0, 1)), prefix_length=16)],
    )
    producer.topic.set(message.name, message.SerializeToString())


def mgd(run_dir: Path, incarnation: int = 1, **statics: str) -> Producer:
    """Statics are n20="gateway" for 20.0.0.0/8."""
    producer = Producer(run_dir, "mgd", "config", incarnation)
    for octet, gateway in statics.items():
        set_static(producer, octet, gateway)
    return producer


def set_static(producer: Producer, octet: str, gateway: str) -> None:
    value = json.dumps({"next-hop": [gateway]}).encode()
    producer.topic.set(f"routing-options/static/inet/{octet[1:]}.0.0.0/8", value)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.001)


async def get(running: RunningDaemon[Rpd], name: str, **arguments: str) -> dict[str, object]:
    client = running.client()
    stub = runtime_pb2_grpc.RuntimeStub(client.channel)
    request = runtime_pb2.GetRequest(name=name, arguments=arguments)
    answer: dict[str, object] = json.loads((await client.unary(stub.Get, request, timeout=5)).json)
    return answer


async def test_interfaces_and_statics_become_the_forwarding_table(run_dir: Path) -> None:
    pfectl = Pfectl(run_dir)
    async with (
        run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd,
        run_daemon(pfectl) as consumer,
        run_daemon(dcd(run_dir, 0)),
        run_daemon(mgd(run_dir, n20="10.0.0.9")),
    ):
        await consumer.ready.wait()
        shown = await get(rpd, "route-information", destination="20.1.1.1")
        started = await get(rpd, "protocols-started-time")
        with pytest.raises(RpcError, match="cannot show routes to 'x'"):
            await get(rpd, "route-information", destination="x")

    assert "10.0.0.9" == pfectl.gateway("20.0.0.0/8")
    assert 3 == len(pfectl.routes)
    assert "RPD_TASK_BEGIN" in [record.tag for record in rpd.records]
    assert "20.0.0.0/8" in str(shown)
    assert {"protocols-started-time"} == set(started)


async def test_while_a_producer_is_dead_everything_stays_and_then_the_difference_is_applied(
    run_dir: Path,
) -> None:
    pfectl, configuration = Pfectl(run_dir), mgd(run_dir, n20="10.0.0.9", n21="10.1.0.9")
    rpd = Rpd(make_order(run_dir, "rpd"))
    async with (
        run_daemon(rpd) as running,
        run_daemon(pfectl) as consumer,
        run_daemon(configuration),
    ):
        async with run_daemon(dcd(run_dir, 0, 1)):
            await consumer.ready.wait()
        await until(lambda: not running.host.session("dcd", "interfaces").connected)
        # The other producer lives: what it says counts.
        set_static(configuration, "n22", "10.0.0.9")
        await until(lambda: pfectl.gateway("22.0.0.0/8") is not None)
        kept = len(pfectl.routes)
        async with run_daemon(dcd(run_dir, 0, incarnation=2)):
            await until(lambda: len(pfectl.changes) == 3)

    assert 7 == kept
    assert {parse_prefix(text).key for text in ("21.0.0.0/8", "10.1.0.0/16", "10.1.0.1/32")} == (
        pfectl.changes[2].packed_removed
    )
    assert {} == pfectl.changes[2].packed_upserts
    assert "10.0.0.9" == pfectl.gateway("20.0.0.0/8")


async def test_a_successor_of_rpd_changes_only_what_changed_meanwhile(run_dir: Path) -> None:
    pfectl = Pfectl(run_dir)
    interfaces, configuration = dcd(run_dir, 0, 1), mgd(run_dir, n20="10.0.0.9", n21="10.1.0.9")
    async with run_daemon(interfaces), run_daemon(configuration), run_daemon(pfectl) as consumer:
        async with run_daemon(Rpd(make_order(run_dir, "rpd"))):
            await consumer.ready.wait()
        set_static(configuration, "n21", "10.0.0.9")
        async with run_daemon(Rpd(make_order(run_dir, "rpd", incarnation=2))):
            await until(lambda: len(pfectl.changes) == 2)

    change = pfectl.changes[1]
    assert change.resync
    assert {parse_prefix("21.0.0.0/8").key} == set(change.packed_upserts)
    assert (frozenset(), {}) == (change.packed_removed, change.upserts)
    assert 1 == len(change.removed)
    assert "10.0.0.9" == pfectl.gateway("21.0.0.0/8")


async def test_a_successor_of_rpd_that_finds_nothing_changed_changes_nothing(run_dir: Path) -> None:
    pfectl = Pfectl(run_dir)
    interfaces, configuration = dcd(run_dir, 0, 1), mgd(run_dir, n20="10.0.0.9", n21="10.1.0.9")
    async with run_daemon(interfaces), run_daemon(configuration), run_daemon(pfectl) as consumer:
        async with run_daemon(Rpd(make_order(run_dir, "rpd"))):
            await consumer.ready.wait()
        async with run_daemon(Rpd(make_order(run_dir, "rpd", incarnation=2))):
            await until(lambda: consumer.host.session("rpd", "fib").incarnation == 2)

    assert 1 == len(pfectl.changes)


async def test_items_that_cannot_be_read_leave_everything_as_it_was(run_dir: Path) -> None:
    pfectl = Pfectl(run_dir)
    interfaces, configuration = dcd(run_dir, 0), mgd(run_dir, n20="10.0.0.9")
    configuration.topic.set("routing-options/static/inet/x", b"{}")
    async with (
        run_daemon(interfaces),
        run_daemon(configuration),
        run_daemon(pfectl) as consumer,
        run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd,
    ):
        await consumer.ready.wait()
        before = dict(pfectl.routes)
        interfaces.topic.set("ge-0/0/0.0", b"\xff")
        configuration.topic.set("routing-options/static/inet/20.0.0.0/8", b"?")
        configuration.topic.remove("routing-options/static/inet/x")
        set_static(configuration, "n21", "10.0.0.9")
        await until(lambda: pfectl.gateway("21.0.0.0/8") is not None)

    failed = {"RPD_CONFIG_READ_FAILED", "RPD_INTERFACE_READ_FAILED"}
    assert failed <= {record.tag for record in rpd.records}
    assert before.items() < pfectl.routes.items()
    assert len(before) + 1 == len(pfectl.routes)


async def test_ten_thousand_routes_leave_the_loop_its_turns(run_dir: Path) -> None:
    pfectl = Pfectl(run_dir)
    interfaces, configuration = dcd(run_dir, 0), mgd(run_dir)
    value = b'{"next-hop": ["10.0.0.9"]}'
    for number in range(10_000):
        key = f"routing-options/static/inet/20.{number >> 8}.{number & 255}.0/24"
        configuration.topic.set(key, value)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += not rpd.fib.synced and bool(rpd.core.tables[4].destinations)

    rpd = Rpd(make_order(run_dir, "rpd"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        async with (
            run_daemon(interfaces),
            run_daemon(configuration),
            run_daemon(rpd),
            run_daemon(pfectl) as consumer,
        ):
            await consumer.ready.wait()
        nursery.cancel_scope.cancel()

    assert 10_002 == len(pfectl.routes)
    assert turns >= 14

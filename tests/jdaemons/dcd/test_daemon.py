"""dcd over real gRPC between a chassisd and an mgd that only publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest
import trio

from jdaemons.dcd.daemon import Dcd
from jprotos.chassisd.v1 import chassisd_pb2
from jprotos.dcd.v1 import dcd_pb2
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.feed import Change, FeedSource, Publisher

GE = "ge-0/0/0"
MAC = bytes.fromhex("02aabbccddee")


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


class Listener(Daemon):
    """Stands for rpd: hears what dcd publishes."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(make_order(run_dir, "rpd"))
        self.send, self.changes = trio.open_memory_channel[Change](100)

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("dcd", "interfaces"),)

    async def on_change(self, change: Change) -> None:
        await self.send.send(change)


def chassisd(run_dir: Path, incarnation: int = 1, **ports: bool) -> Producer:
    producer = Producer(run_dir, "chassisd", "ports", incarnation)
    for name, link_up in ports.items():
        set_port(producer, name.replace("_", "/").replace("ge/", "ge-"), link_up)
    return producer


def set_port(producer: Producer, name: str, link_up: bool) -> None:
    port = chassisd_pb2.Port(name=name, mac=MAC, mtu=1514, link_up=link_up)
    producer.topic.set(name, port.SerializeToString())


def mgd(run_dir: Path, incarnation: int = 1, **addresses: str) -> Producer:
    producer = Producer(run_dir, "mgd", "config", incarnation)
    for name, address in addresses.items():
        key = name.replace("_", "/").replace("ge/", "ge-")
        unit = {"0": {"family": {"inet": {"address": [address]}}}}
        producer.topic.set(f"interfaces/{key}", json.dumps({"unit": unit}).encode())
    producer.topic.set("system", b'{"host-name": "r1"}')
    return producer


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.001)


async def get(running: RunningDaemon[Dcd], name: str) -> dict[str, object]:
    client = running.client()
    stub = runtime_pb2_grpc.RuntimeStub(client.channel)
    reply = await client.unary(stub.Get, runtime_pb2.GetRequest(name=name), timeout=5)
    answer: dict[str, object] = json.loads(reply.json)
    return answer


async def test_dcd_is_ready_only_with_both_inputs_and_then_tells_what_follows(
    run_dir: Path,
) -> None:
    dcd, rpd = Dcd(make_order(run_dir, "dcd")), Listener(run_dir)
    ports = chassisd(run_dir, ge_0_0_0=True)
    async with run_daemon(dcd) as running, run_daemon(rpd), run_daemon(ports):
        await until(lambda: any(feed.synced for feed in running.host.sessions()))
        before = dict(dcd.interfaces.items)
        async with run_daemon(mgd(run_dir, ge_0_0_0="192.0.2.1/24")):
            change = await rpd.changes.receive()
            shown = await get(running, "interface-information")

    assert {} == before
    assert [f"{GE}.0"] == list(change.upserts)
    interface = dcd_pb2.LogicalInterface.FromString(change.upserts[f"{GE}.0"])
    assert interface.oper_up
    assert {"interface-information"} == set(shown)


async def test_the_death_of_a_producer_changes_nothing_and_its_successor_only_the_difference(
    run_dir: Path,
) -> None:
    dcd, rpd = Dcd(make_order(run_dir, "dcd")), Listener(run_dir)
    configured = mgd(run_dir, ge_0_0_0="192.0.2.1/24", ge_0_0_1="198.51.100.1/24")
    async with run_daemon(dcd) as running, run_daemon(rpd), run_daemon(configured):
        async with run_daemon(chassisd(run_dir, ge_0_0_0=True, ge_0_0_1=True)):
            first = await rpd.changes.receive()
        await until(lambda: not running.host.session("chassisd", "ports").connected)
        kept = dict(dcd.interfaces.items)
        async with run_daemon(chassisd(run_dir, 2, ge_0_0_0=True, ge_0_0_1=False)):
            second = await rpd.changes.receive()

    assert {"ge-0/0/0.0", "ge-0/0/1.0"} == set(first.upserts) == set(kept)
    assert {"ge-0/0/1.0"} == set(second.upserts)
    assert frozenset() == second.removed
    assert not second.resync


async def test_a_successor_of_dcd_changes_only_what_changed_meanwhile(run_dir: Path) -> None:
    rpd = Listener(run_dir)
    ports = chassisd(run_dir, ge_0_0_0=True, ge_0_0_1=True)
    configured = mgd(run_dir, ge_0_0_0="192.0.2.1/24", ge_0_0_1="198.51.100.1/24")
    async with run_daemon(ports), run_daemon(configured), run_daemon(rpd) as consumer:
        async with run_daemon(Dcd(make_order(run_dir, "dcd"))):
            await rpd.changes.receive()
        set_port(ports, "ge-0/0/1", False)
        async with run_daemon(Dcd(make_order(run_dir, "dcd", incarnation=2))):
            change = await rpd.changes.receive()
            resynced = consumer.host.sessions()[0].resync_changes

    assert change.resync
    assert {"ge-0/0/1.0"} == set(change.upserts)
    assert 1 == resynced


async def test_an_item_that_cannot_be_read_leaves_the_interface_as_it_was(run_dir: Path) -> None:
    dcd, rpd = Dcd(make_order(run_dir, "dcd")), Listener(run_dir)
    configured = mgd(run_dir, ge_0_0_0="192.0.2.1/24")
    ports = chassisd(run_dir, ge_0_0_0=True)
    async with (
        run_daemon(dcd) as running,
        run_daemon(rpd),
        run_daemon(configured),
        run_daemon(ports),
    ):
        first = await rpd.changes.receive()
        configured.topic.set(f"interfaces/{GE}", b"?")
        set_port(ports, GE, False)
        second = await rpd.changes.receive()

    addresses = [
        dcd_pb2.LogicalInterface.FromString(change.upserts[f"{GE}.0"]).addresses
        for change in (first, second)
    ]
    assert addresses[0] == addresses[1]
    tags = [record.tag for record in running.records]
    assert "DCD_CONFIG_READ_FAILED" in tags
    assert "DCD_LINK_DOWN" in tags

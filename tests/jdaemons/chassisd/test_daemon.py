"""chassisd over real gRPC, between pfectls that only publish and a dcd that only listens."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest
import trio

from jdaemons.chassisd.daemon import Chassisd, mac_address
from jprotos.chassisd.v1 import chassisd_pb2
from jprotos.pfe.v1 import pfe_pb2
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.feed import Change, FeedSource, Publisher

CHASSIS: dict[str, Json] = {
    "model": "test",
    "fpc_slots": 2,
    "fpc": [{"slot": 1, "pic": [{"slot": 0, "media": "xe", "ports": 2, "speed": "10g"}]}],
}


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


class Pfectl(Daemon):
    """Says which links there are."""

    def __init__(self, run_dir: Path, incarnation: int = 1, **links: bool) -> None:
        super().__init__(make_order(run_dir, "pfectl1", incarnation=incarnation))
        self.links = Publisher("links")
        for port, up in links.items():
            self.set(f"xe-1/0/{port.removeprefix('p')}", up)

    def publishers(self) -> Sequence[Publisher]:
        return (self.links,)

    def set(self, name: str, up: bool) -> None:
        self.links.set(name, pfe_pb2.Link(name=name, up=up).SerializeToString())


class Listener(Daemon):
    """Stands for dcd: hears which ports there are."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(make_order(run_dir, "dcd"))
        self.send, self.changes = trio.open_memory_channel[Change](100)

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("chassisd", "ports"),)

    async def on_change(self, change: Change) -> None:
        await self.send.send(change)


def chassisd(run_dir: Path, incarnation: int = 1, **changes: Json) -> Chassisd:
    order = make_order(run_dir, "chassisd", incarnation=incarnation, chassis={**CHASSIS, **changes})
    return Chassisd(order)


def links_up(change: Change) -> dict[str, bool]:
    ports = map(chassisd_pb2.Port.FromString, change.upserts.values())
    return {port.name: port.link_up for port in ports}


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.001)


async def get(running: RunningDaemon[Chassisd], name: str) -> str:
    client = running.client()
    stub = runtime_pb2_grpc.RuntimeStub(client.channel)
    reply = await client.unary(stub.Get, runtime_pb2.GetRequest(name=name), timeout=5)
    return reply.json


async def test_chassisd_is_ready_when_its_fpcs_are_online_and_tells_every_port(
    run_dir: Path,
) -> None:
    dcd = Listener(run_dir)
    async with run_daemon(chassisd(run_dir)) as running, run_daemon(dcd):
        before = running.ready.is_set()
        async with run_daemon(Pfectl(run_dir, p0=True)):
            await running.ready.wait()
            change = await dcd.changes.receive()
            shown = await get(running, "fpc-information")
            inventory = await get(running, "chassis-inventory")

    port = chassisd_pb2.Port.FromString(change.upserts["xe-1/0/0"])
    expected = chassisd_pb2.Port(
        name="xe-1/0/0",
        fpc=1,
        mac=mac_address("test", "xe-1/0/0"),
        mtu=1514,
        speed=10**10,
        link_up=True,
    )
    assert not before
    assert expected == port
    assert {"xe-1/0/0": True, "xe-1/0/1": False} == links_up(change)
    assert ["Empty", "Online"] == [
        row["state"] for row in json.loads(shown)["fpc-information"]["fpc"]
    ]
    assert "chassis-inventory" in json.loads(inventory)


async def test_a_pfectl_that_dies_takes_nothing_with_it_and_its_successor_tells_the_difference(
    run_dir: Path,
) -> None:
    dcd = Listener(run_dir)
    async with run_daemon(chassisd(run_dir)) as running, run_daemon(dcd):
        async with run_daemon(Pfectl(run_dir, p0=True, p1=True)):
            await dcd.changes.receive()
        await until(lambda: not running.host.session("pfectl1", "links").connected)
        kept = dict(running.daemon.ports.items)
        async with run_daemon(Pfectl(run_dir, 2, p0=True, p1=False)):
            change = await dcd.changes.receive()
        shown = await get(running, "fpc-information")

    assert [True, True] == [chassisd_pb2.Port.FromString(each).link_up for each in kept.values()]
    assert {"xe-1/0/1": False} == links_up(change)
    assert not change.removed
    assert "Online" in shown


async def test_a_successor_of_chassisd_changes_nothing_that_did_not_change(run_dir: Path) -> None:
    dcd, pfectl = Listener(run_dir), Pfectl(run_dir, p0=True)
    async with run_daemon(pfectl), run_daemon(dcd) as consumer:
        async with run_daemon(chassisd(run_dir)):
            first = await dcd.changes.receive()
        async with run_daemon(chassisd(run_dir, 2)):
            await until(lambda: consumer.host.sessions()[0].incarnation == 2)
            resynced = consumer.host.sessions()[0].resync_changes
            pfectl.set("xe-1/0/1", True)
            second = await dcd.changes.receive()

    assert {"xe-1/0/0": True, "xe-1/0/1": False} == links_up(first)
    assert 0 == resynced
    assert {"xe-1/0/1": True} == links_up(second)


async def test_an_fpc_that_is_not_heard_in_time_is_offline_and_keeps_nobody_waiting(
    run_dir: Path,
) -> None:
    silent = chassisd(run_dir)
    silent.fpc_deadline = 0
    async with run_daemon(silent) as running:
        await running.ready.wait()
        before = await get(running, "fpc-information"), dict(silent.ports.items)
        async with run_daemon(Pfectl(run_dir, p0=True)):
            await until(lambda: bool(silent.ports.items))
        after = await get(running, "fpc-information")

    assert "Offline" in before[0]
    assert {} == before[1]
    assert "Online" in after
    assert ["CHASSISD_FRU_OFFLINE_NOTICE"] == [
        record.tag for record in running.records if "OFFLINE" in record.tag
    ]


async def test_an_fpc_without_ports_comes_online_by_being_there(run_dir: Path) -> None:
    bare = chassisd(run_dir, fpc=[{"slot": 1}])
    bare.fpc_deadline = 0.05
    async with run_daemon(Pfectl(run_dir)) as pfectl:
        await pfectl.ready.wait()
        async with run_daemon(bare) as running:
            await running.ready.wait()
            shown = await get(running, "fpc-information")

    assert "Online" in shown


async def test_a_chassis_without_fpcs_is_ready_at_once(run_dir: Path) -> None:
    async with run_daemon(chassisd(run_dir, fpc=[])) as running:
        await running.ready.wait()


async def test_a_link_that_cannot_be_read_is_told_and_leaves_the_port_down(run_dir: Path) -> None:
    pfectl = Pfectl(run_dir, p1=True)
    pfectl.links.set("xe-1/0/0", b"\xff")
    async with run_daemon(pfectl), run_daemon(chassisd(run_dir)) as running:
        await running.ready.wait()
        ports = dict(running.daemon.ports.items)

    assert [False, True] == [chassisd_pb2.Port.FromString(each).link_up for each in ports.values()]
    assert "CHASSISD_LINK_READ_FAILED" in [record.tag for record in running.records]


def test_a_mac_address_is_local_unicast_and_every_port_s_own() -> None:
    addresses = {mac_address(name, f"ge-0/0/{port}") for name in "ab" for port in range(10)}

    assert 20 == len(addresses)
    assert {0x02} == {address[0] & 0x03 for address in addresses}
    assert {6} == {len(address) for address in addresses}
    assert mac_address("a", "ge-0/0/0") == mac_address("a", "ge-0/0/0")

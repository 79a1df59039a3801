"""pfectl over real feeds, and the engine that reads what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import trio

from jdaemons.pfe.daemon import Pfectl, PfectlTag, told
from jdaemons.pfe.fakes import LEFT, RIGHT, ROUTES, route
from jdaemons.pfe.segment import Segment
from jprotos.dcd.v1 import dcd_pb2
from jprotos.rpd.v1 import rpd_pb2
from jprotos.runtime.v1.runtime_pb2 import GetRequest
from jprotos.runtime.v1.runtime_pb2_grpc import RuntimeStub
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import FakeInit, make_order, run_daemon
from jsupervisor.runtime.feed import Publisher
from jsupervisor.runtime.order import Order


class Producer(Daemon):
    """dcd or rpd, as far as pfectl can tell."""

    def __init__(self, order: Order, publisher: Publisher) -> None:
        super().__init__(order)
        self.publisher = publisher

    def publishers(self) -> tuple[Publisher, ...]:
        return (self.publisher,)


def interfaces() -> Publisher:
    """What dcd publishes."""
    publisher = Publisher("interfaces")
    for port, (name, local) in enumerate([(LEFT, "c0000201"), (RIGHT, "c6336401")]):
        message = dcd_pb2.LogicalInterface(
            name=f"{name}.0",
            physical=name,
            admin_up=True,
            oper_up=True,
            pfe_port=port,
            mac=bytes((2, 0xAA, 0, 0, 0, port)),
            mtu=1514,
            addresses=[dcd_pb2.Address(local=bytes.fromhex(local), prefix_length=24)],
        )
        publisher.set(message.name, message.SerializeToString())
    return publisher


def fib() -> Publisher:
    """What rpd publishes."""
    publisher = Publisher("fib", key_size=18, value_size=4)
    for number, kind, port in ((1, 2, 0), (2, 2, 1)):
        message = rpd_pb2.NextHop(
            id=number, type=rpd_pb2.NextHopType.ValueType(kind), interface=f"p{port}", pfe_port=port
        )
        publisher.set(f"nh/{number}", message.SerializeToString())
    routes = {key: number for key, number in ROUTES.items() if number in (1, 2)}
    publisher.set_packed({key: number.to_bytes(4) for key, number in routes.items()})
    return publisher


def order(run_dir: Path) -> Order:
    return make_order(
        run_dir,
        "pfectl0",
        options={"fpc": 0, "engine": "pfe0"},
        ports={LEFT: f"unix:{run_dir}/left", RIGHT: f"unix:{run_dir}/right"},
    )


async def destinations(running: object) -> list[str]:
    """What `show route forwarding-table` would list."""
    client = running.client()  # type: ignore[attr-defined]
    request = GetRequest(name="forwarding-table-information")
    reply = await client.unary(RuntimeStub(client.channel).Get, request, timeout=5)
    tables = json.loads(reply.json)["forwarding-table-information"]["route-table"]
    return [entry["rt-destination"] for table in tables for entry in table["rt-entry"]]


async def test_routes_reach_the_image_and_a_successor_writes_only_differences(
    run_dir: Path,
) -> None:
    init = FakeInit()
    rpd = fib()
    try:
        async with (
            run_daemon(Producer(make_order(run_dir, "dcd"), interfaces())),
            run_daemon(Producer(make_order(run_dir, "rpd"), rpd)),
        ):
            async with run_daemon(Pfectl(order(run_dir)), init) as first:
                await first.ready.wait()
                before = await destinations(first)
                generation = first.daemon.writer.image.generation
            rpd.remove_packed([route("198.51.100.0/24")])
            async with run_daemon(Pfectl(order(run_dir)), init) as second:
                await second.ready.wait()
                after = await destinations(second)
                unchanged = second.daemon.writer.image.generation

    finally:
        init.close()

    assert ["192.0.2.0/24", "198.51.100.0/24", "2001:db8:1::/64", "2001:db8:2::/64"] == before
    assert ["192.0.2.0/24", "2001:db8:1::/64", "2001:db8:2::/64"] == after
    assert generation == unchanged


async def test_links_are_said_before_anything_else_is_known(run_dir: Path) -> None:
    async with run_daemon(Pfectl(order(run_dir))) as pfectl:
        with trio.fail_after(5):
            while not pfectl.daemon.links.synced:
                await trio.sleep(0.001)

        assert [LEFT, RIGHT] == sorted(pfectl.daemon.links.items)
        assert not pfectl.ready.is_set()


def test_what_the_engine_logs_is_told_in_its_own_words() -> None:
    assert ("PFE_LINK_UP", "ge-0/0/0 is up") == told(
        '{"tag": "PFE_LINK_UP", "text": "ge-0/0/0 is up", "severity": "notice"}'
    )
    assert (PfectlTag.PFE_ENGINE, '{"tag": "cu') == told('{"tag": "cu')
    assert (PfectlTag.PFE_ENGINE, "[]") == told("[]")


async def test_a_log_line_of_the_engine_reaches_the_log_of_pfectl(run_dir: Path) -> None:
    async with run_daemon(Pfectl(order(run_dir))) as pfectl:
        with trio.fail_after(5):
            while not pfectl.daemon.links.synced:
                await trio.sleep(0.001)
            Segment(pfectl.init.descriptors["pfe0/state"], writable=True).append_log(
                '{"tag": "PFE_POISON_DROPPED", "text": "dropped"}'
            )
            while not any(each.tag == "PFE_POISON_DROPPED" for each in pfectl.records):
                await trio.sleep(0.001)

        assert "dropped" == pfectl.records[-1].text


async def test_routes_that_make_no_sense_are_left_out(run_dir: Path) -> None:
    rpd = fib()
    rpd.set_packed({bytes((5, 200)) + bytes(16): (1).to_bytes(4)})
    rpd.set_packed({route("10.9.0.0/16"): (99).to_bytes(4)})
    async with (
        run_daemon(Producer(make_order(run_dir, "dcd"), interfaces())),
        run_daemon(Producer(make_order(run_dir, "rpd"), rpd)),
        run_daemon(Pfectl(order(run_dir))) as pfectl,
    ):
        await pfectl.ready.wait()
        tags = {record.tag for record in pfectl.records}

        assert 4 == len(await destinations(pfectl))
        assert {"PFE_READ_FAILED", "PFE_ROUTE_WITHOUT_NEXT_HOP"} <= tags

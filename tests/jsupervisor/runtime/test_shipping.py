"""Records on their way to an eventd, through its deaths."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import trio

from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import client_to, make_order, run_daemon
from jsupervisor.runtime.log import Tag
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Sink
from jsupervisor.runtime.rpc import Seam
from jsupervisor.runtime.shipping import ship


class Eventd(Daemon):
    """Collects texts, its own directly."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.texts: list[str] = []
        self.came = trio.Event()

    def log_sink(self) -> Sink:
        return lambda record: self.texts.append(record.text)

    def services(self, seam: Seam, server: grpc.Server) -> None:
        eventd_pb2_grpc.add_LogServicer_to_server(Collector(seam, self), server)

    async def write(self, requests: AsyncIterator[eventd_pb2.LogRecord]) -> eventd_pb2.WriteReply:
        async for record in requests:
            self.texts.append(record.text)
            self.came.set()
        return eventd_pb2.WriteReply()


class Collector(eventd_pb2_grpc.LogServicer):
    def __init__(self, seam: Seam, eventd: Eventd) -> None:
        self.seam = seam
        self.eventd = eventd

    def Write(
        self,
        request_iterator: Iterator[eventd_pb2.LogRecord],
        context: grpc.ServicerContext,
    ) -> eventd_pb2.WriteReply:
        return self.seam.collect(context, self.eventd.write, request_iterator)

    def Tail(
        self, request: eventd_pb2.TailRequest, context: grpc.ServicerContext
    ) -> Iterator[eventd_pb2.TailReply]:
        return iter(())


async def test_records_reach_eventd_from_the_first_to_the_last(run_dir: Path) -> None:
    eventd = Eventd(make_order(run_dir, "eventd"))
    rpd = Daemon(make_order(run_dir, "rpd"))
    rpd.log.info(Tag.MODULE_START, "before anything")
    async with run_daemon(eventd):
        async with run_daemon(rpd, ship_log=True) as running:
            await running.ready.wait()
            await eventd.came.wait()
        texts = [text for text in eventd.texts if "eventd" not in text]

    expected = ["before anything", "rpd started", "rpd is ready", "rpd stops"]
    assert expected == texts
    assert "eventd is ready" in eventd.texts


async def test_records_wait_for_the_next_eventd(run_dir: Path) -> None:
    rpd = Daemon(make_order(run_dir, "rpd"))
    async with run_daemon(rpd, ship_log=True):
        for incarnation in (1, 2):
            eventd = Eventd(make_order(run_dir, "eventd", incarnation=incarnation))
            rpd.log.info(Tag.MODULE_RELOAD, f"for eventd {incarnation}")
            async with run_daemon(eventd):
                await eventd.came.wait()

    assert "for eventd 2" in eventd.texts


async def test_a_module_whose_log_nobody_takes_is_not_held_up(run_dir: Path) -> None:
    rpd = Daemon(make_order(run_dir, "rpd"))
    async with run_daemon(rpd, ship_log=True) as running:
        for number in range(10_000):
            rpd.log.info(Tag.MODULE_RELOAD, str(number))
        await running.ready.wait()
        dropped = rpd.backlog.dropped

    assert dropped > 0


async def test_whose_backlog_has_ended_waits_for_no_other_eventd(run_dir: Path) -> None:
    eventd = Eventd(make_order(run_dir, "eventd"))
    rpd, done = Daemon(make_order(run_dir, "rpd")), trio.Event()
    client = client_to(run_dir, "eventd", "rpd")
    async with trio.open_nursery() as nursery:
        async with run_daemon(eventd):
            nursery.start_soon(ship, rpd.backlog, client, done)
            rpd.log.info(Tag.MODULE_START, "while it is there")
            await eventd.came.wait()
        rpd.log.info(Tag.MODULE_STOP, "nobody is there")
        rpd.backlog.end()
        await done.wait()
    await client.aclose()

    assert "while it is there" in eventd.texts

"""The shell of pfectl: dcd's interfaces and rpd's routes in, the forwarding image and the engine's
links and counters out.

The engine never hears of this process. What passes between them lies in two memory files, and either
may die and come back without the other taking notice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import Final, TypeVar

import trio

from jdaemons.pfe.core import Core
from jdaemons.pfe.events import (
    ChangeRoutes,
    Event,
    FibChanged,
    InterfacesChanged,
    Missing,
    RemoveNextHops,
    SetNextHops,
    SetPorts,
    Synced,
)
from jdaemons.pfe.layout import Image, ImageError
from jdaemons.pfe.memory import memory_file
from jdaemons.pfe.ports.opening import own_ports
from jdaemons.pfe.reading import ENGINE, Reading
from jdaemons.pfe.segment import Segment
from jdaemons.pfe.show import (
    DestinationError,
    forwarding_table,
    pfe_statistics,
    port_statistics,
)
from jdaemons.pfe.wire import (
    NEXT_HOP_PREFIX,
    WireError,
    is_route_key,
    next_hop_id,
    read_interface,
    read_next_hop,
    write_counters,
    write_link,
)
from jdaemons.pfe.writer import ImageFull, ImageWriter
from jsupervisor.initproto import Json
from jsupervisor.runtime.chassis import ports_of, slots
from jsupervisor.runtime.daemon import Daemon, Query, QueryError
from jsupervisor.runtime.descriptors import DescriptorExists
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order

LINKS_SECONDS: Final = 0.05
COUNTERS_SECONDS: Final = 1.0
ROUTES_AT_ONCE: Final = 8192
"""Routes that are written in one turn of the loop."""

Mapped = TypeVar("Mapped", Image, Segment)
Value = TypeVar("Value")


class PfectlTag(StrEnum):
    """What pfectl has to say."""

    PFE_READ_FAILED = "PFE_READ_FAILED"
    PFE_IMAGE_FULL = "PFE_IMAGE_FULL"
    PFE_ROUTE_WITHOUT_NEXT_HOP = "PFE_ROUTE_WITHOUT_NEXT_HOP"
    PFE_ENGINE = "PFE_ENGINE"


class Pfectl(Daemon):
    """The packet forwarding engine's control process, one for each FPC."""

    core: Core
    writer: ImageWriter
    reading: Reading

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.fpc: Final = int(str(order.options.get("fpc", 0)))
        self.engine: Final = str(order.options.get("engine", f"pfe{self.fpc}"))
        self.links = Publisher("links")
        self.counters = Publisher("counters")
        self._logged = 0

    def feeds_in(self) -> Sequence[FeedSource]:
        """The logical interfaces and the routes."""
        return (FeedSource("dcd", "interfaces"), FeedSource("rpd", "fib"))

    def publishers(self) -> Sequence[Publisher]:
        """`links` and `counters`."""
        return (self.links, self.counters)

    def operational(self) -> Mapping[str, Query]:
        """The forwarding table and the counters."""
        return {
            "forwarding-table-information": self._forwarding_table,
            "pfe-statistics": lambda _: pfe_statistics(self.reading.counters()[ENGINE]),
            "port-statistics": lambda _: self._port_statistics(),
        }

    # -- life --------------------------------------------------------------------------------------

    async def run(self, nursery: trio.Nursery) -> None:
        """Finish what a predecessor began, and say how the links are: chassisd waits for that."""
        image = await self._obtain("image", lambda fd: Image(fd, writable=True))
        segment = await self._obtain("state", lambda fd: Segment(fd, writable=False))
        # A full table takes its time to be read; the loop goes on meanwhile.
        self.writer = await trio.to_thread.run_sync(ImageWriter, image)
        self.core = await trio.to_thread.run_sync(_known, self.fpc, self.writer)
        self.segment = segment
        _, self._logged = segment.log_since(0)
        self.reading = Reading(segment, self._port_names(), self._specs())
        self._tell_links()
        self.links.mark_synced()
        self._tell_counters()
        self.counters.mark_synced()
        nursery.start_soon(self._every, LINKS_SECONDS, self._tell_links)
        nursery.start_soon(self._every, COUNTERS_SECONDS, self._tell_counters)

    async def on_change(self, change: Change) -> None:
        """The interfaces or the routes changed."""
        if change.topic == "interfaces":
            upserts = self._read(change.upserts, read_interface)
            await self._handle(InterfacesChanged(upserts, change.removed))
        else:
            await self._fib_changed(change)

    async def on_synced(self) -> None:
        """Both are known in full: what nobody spoke of goes."""
        await self._handle(Synced())

    async def _obtain(self, what: str, map_file: Callable[[int], Mapped]) -> Mapped:
        """As memory.obtain, with this runtime's store."""
        key = f"{self.engine}/{what}"
        while True:
            fd = await self.descriptors.get(key)
            if fd is None:
                fd = memory_file(key)
                try:
                    await self.descriptors.put(key, fd)
                except DescriptorExists:
                    os.close(fd)
                    continue
            try:
                return map_file(fd)
            except ImageError:
                await self.descriptors.drop(key)
            finally:
                os.close(fd)

    def _port_names(self) -> list[str]:
        fpcs = [fpc for fpc in slots(self.order.chassis, "fpc") if fpc.number == self.fpc]
        named = [port.name for fpc in fpcs for port in ports_of(fpc)]
        return named or own_ports(self.order.ports, self.fpc)

    def _specs(self) -> dict[str, str]:
        return {name: self.order.ports[name] for name in own_ports(self.order.ports, self.fpc)}

    async def _every(self, seconds: float, work: Callable[[], None]) -> None:
        while True:
            await trio.sleep(seconds)
            work()

    # -- in ----------------------------------------------------------------------------------------

    async def _fib_changed(self, change: Change) -> None:
        """A little at a time: a module under bulk load must still answer its heartbeat."""
        hops = {
            key: value for key, value in change.upserts.items() if key.startswith(NEXT_HOP_PREFIX)
        }
        read = self._read(hops, read_next_hop)
        await self._handle(FibChanged(next_hops={hop.id: hop for hop in read.values()}))
        upserts = iter(change.packed_upserts.items())
        while part := dict(islice(upserts, ROUTES_AT_ONCE)):
            await self._handle(FibChanged(routes=self._routes(part)))
        removals = iter(change.packed_removed)
        while gone := frozenset(islice(removals, ROUTES_AT_ONCE)):
            await self._handle(FibChanged(routes_removed=gone))
        freed = [key for key in change.removed if key.startswith(NEXT_HOP_PREFIX)]
        await self._handle(FibChanged(next_hops_removed=frozenset(map(next_hop_id, freed))))

    def _routes(self, records: Mapping[bytes, bytes]) -> dict[bytes, int]:
        good = {key: int.from_bytes(value) for key, value in records.items() if is_route_key(key)}
        if len(good) < len(records):
            text = f"cannot read {len(records) - len(good)} routes: their keys are not prefixes"
            self.log.error(PfectlTag.PFE_READ_FAILED, text)
        return good

    def _read(
        self, items: Mapping[str, bytes], read: Callable[[str, bytes], Value]
    ) -> dict[str, Value]:
        """What can be read; of the rest the last known state stays."""
        values: dict[str, Value] = {}
        for key, octets in items.items():
            try:
                values[key] = read(key, octets)
            except WireError as error:
                self.log.error(PfectlTag.PFE_READ_FAILED, str(error))
        return values

    async def _handle(self, event: Event) -> None:
        await trio.lowlevel.checkpoint()
        for command in self.core.handle(event):
            try:
                match command:
                    case SetPorts(ports, addresses):
                        self.writer.set_ports(ports, addresses)
                    case SetNextHops(next_hops):
                        self.writer.set_next_hops(next_hops)
                    case ChangeRoutes():
                        await self._change_routes(command)
                    case RemoveNextHops(ids):
                        self.writer.remove_next_hops(ids)
                    case Missing(routes):
                        text = f"{len(routes)} routes name next hops that are not known"
                        self.log.error(PfectlTag.PFE_ROUTE_WITHOUT_NEXT_HOP, text)
            except ImageFull as error:
                self.log.error(PfectlTag.PFE_IMAGE_FULL, str(error))

    async def _change_routes(self, command: ChangeRoutes) -> None:
        changes = chain(command.upserts.items(), ((key, None) for key in command.removed))
        while part := list(islice(changes, ROUTES_AT_ONCE)):
            upserts = {key: number for key, number in part if number is not None}
            self.writer.change_routes(upserts, [key for key, number in part if number is None])
            await trio.lowlevel.checkpoint()

    # -- out ---------------------------------------------------------------------------------------

    def _tell_links(self) -> None:
        for link in self.reading.links():
            self.links.set(link.name, write_link(link))
        lines, self._logged = self.segment.log_since(self._logged)
        for line in lines:
            tag, text = told(line)
            self.log.notice(tag, text, engine=self.engine)

    def _tell_counters(self) -> None:
        for name, counters in self.reading.counters().items():
            self.counters.set(name, write_counters(counters))

    def _forwarding_table(self, arguments: Mapping[str, str]) -> Json:
        try:
            return forwarding_table(self.core, arguments.get("destination", ""))
        except DestinationError as error:
            raise QueryError(str(error)) from error

    def _port_statistics(self) -> Json:
        counters = self.reading.counters()
        links = [link for link in self.reading.links() if link.name in counters]
        return port_statistics((link, counters[link.name]) for link in links)


def told(line: str) -> tuple[str, str]:
    """Tag and text of a line of the engine's log; a line that was cut is given as it is."""
    try:
        record = json.loads(line)
        return str(record["tag"]), str(record["text"])
    except (ValueError, KeyError, TypeError):
        return PfectlTag.PFE_ENGINE, line


def _known(fpc: int, writer: ImageWriter) -> Core:
    """A core that begins with what is installed."""
    return Core(fpc, writer.next_hops(), writer.routes())

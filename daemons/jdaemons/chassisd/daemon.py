"""The shell of chassisd: the links of every FPC in, the core, the feed `ports` out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import trio
from google.protobuf.message import DecodeError

from jdaemons.chassisd.core import Core
from jdaemons.chassisd.events import (
    DeadlinePassed,
    Event,
    FpcChanged,
    LinksHeard,
    Publish,
    Settled,
)
from jdaemons.chassisd.show import chassis_inventory, fpc_information
from jprotos.chassisd.v1 import chassisd_pb2
from jprotos.pfe.v1 import pfe_pb2
from jsupervisor.runtime.chassis import PortPlace, ports_of, slots
from jsupervisor.runtime.daemon import Daemon, Query
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order

PORT_MTU: Final = 1514


class ChassisdTag(StrEnum):
    """What chassisd has to say."""

    CHASSISD_FPC_STATE = "CHASSISD_FPC_STATE"
    CHASSISD_FRU_OFFLINE_NOTICE = "CHASSISD_FRU_OFFLINE_NOTICE"
    CHASSISD_LINK_READ_FAILED = "CHASSISD_LINK_READ_FAILED"


class Chassisd(Daemon):
    """The chassis control process."""

    fpc_deadline: float = 5.0
    """Seconds after which an FPC that was not heard of is offline."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        fpcs = slots(order.chassis, "fpc")
        count = order.chassis.get("fpc_slots")
        places = {fpc.number: ports_of(fpc) for fpc in fpcs}
        self.core = Core(places, count if isinstance(count, int) else 0)
        self.ports = Publisher("ports")
        self._fpcs = {f"pfectl{fpc.number}": fpc.number for fpc in fpcs}
        self._settled = trio.Event()

    def feeds_in(self) -> Sequence[FeedSource]:
        """The links of each FPC; none gates, because an FPC may be dead for good."""
        return [FeedSource(producer, "links", gating=False) for producer in self._fpcs]

    def publishers(self) -> Sequence[Publisher]:
        """`ports`."""
        return (self.ports,)

    def operational(self) -> Mapping[str, Query]:
        """`chassis-inventory` and `fpc-information`."""
        chassis = self.order.chassis
        return {
            "chassis-inventory": lambda _: chassis_inventory(chassis, self.order.instance),
            "fpc-information": lambda _: fpc_information(chassis, self.core.states),
        }

    async def settled(self) -> None:
        """Every FPC is heard, or given up."""
        if self.core.waiting:
            with trio.move_on_after(self.fpc_deadline):
                await self._settled.wait()
        for producer, fpc in self._fpcs.items():
            # An FPC without ports has nothing to say but that it is there.
            if fpc in self.core.waiting and self.session(producer, "links").synced:
                self._handle(LinksHeard(fpc, {}))
        self._handle(DeadlinePassed())

    async def on_change(self, change: Change) -> None:
        """An FPC says how its links are."""
        links: dict[str, bool] = {}
        for name, octets in change.upserts.items():
            try:
                links[name] = pfe_pb2.Link.FromString(octets).up
            except DecodeError as error:
                text = f"cannot read the link {name} of {change.producer}: {error}"
                self.log.error(ChassisdTag.CHASSISD_LINK_READ_FAILED, text)
        self._handle(LinksHeard(self._fpcs[change.producer], links, change.removed))

    def _handle(self, event: Event) -> None:
        for command in self.core.handle(event):
            match command:
                case Publish(port, link_up):
                    self.ports.set(port.name, self._port(port, link_up))
                case FpcChanged(fpc, state):
                    self._say(fpc, state)
                case Settled():
                    self._settled.set()

    def _say(self, fpc: int, state: str) -> None:
        if state == "Offline":
            text = f"Taking FPC {fpc} offline: its packet engine was not heard of"
            self.log.warning(ChassisdTag.CHASSISD_FRU_OFFLINE_NOTICE, text)
        else:
            self.log.notice(ChassisdTag.CHASSISD_FPC_STATE, f"FPC {fpc} {state}")

    def _port(self, port: PortPlace, link_up: bool) -> bytes:
        return chassisd_pb2.Port(
            name=port.name,
            fpc=port.fpc,
            pic=port.pic,
            port=port.port,
            mac=mac_address(self.order.instance, port.name),
            mtu=PORT_MTU,
            speed=port.speed,
            link_up=link_up,
            pfe_port=port.index,
        ).SerializeToString(deterministic=True)


def mac_address(instance: str, port: str) -> bytes:
    """A locally administered unicast address, the same at every boot (IEEE 802, section 8)."""
    digest = hashlib.sha256(f"{instance}/{port}".encode()).digest()
    return bytes([0x02, *digest[:5]])

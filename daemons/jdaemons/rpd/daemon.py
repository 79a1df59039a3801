"""The shell of rpd: interfaces and configuration in, the core, the feed `fib` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import Final

import trio

from jdaemons.rpd.config import FEED_PREFIX, ConfigError, read_key, read_static
from jdaemons.rpd.core import Core
from jdaemons.rpd.events import (
    ChangeFib,
    Continue,
    Event,
    InterfacesChanged,
    StaticRoute,
    StaticsChanged,
    Synced,
)
from jdaemons.rpd.prefix import KEY_SIZE, Prefix
from jdaemons.rpd.show import DestinationError, protocols_started_time, route_information
from jdaemons.rpd.wire import WireError, next_hop_key, read_interface, write_next_hop
from jsupervisor import __version__
from jsupervisor.initproto import Json
from jsupervisor.runtime.daemon import Daemon, Query, QueryError
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order

VALUE_SIZE: Final = 4
SLICE: Final = 1000
"""Items of the configuration read in one turn of the loop: about 10 ms."""


class RpdTag(StrEnum):
    """What rpd has to say."""

    RPD_TASK_BEGIN = "RPD_TASK_BEGIN"
    RPD_CONFIG_READ_FAILED = "RPD_CONFIG_READ_FAILED"
    RPD_INTERFACE_READ_FAILED = "RPD_INTERFACE_READ_FAILED"


class Rpd(Daemon):
    """The routing protocols process."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.core = Core()
        self.fib = Publisher("fib", key_size=KEY_SIZE, value_size=VALUE_SIZE)
        self._started = self.clock.utcnow()

    def feeds_in(self) -> Sequence[FeedSource]:
        """Interfaces, and the routing options that are configured."""
        return (FeedSource("dcd", "interfaces"), FeedSource("mgd", "config", (FEED_PREFIX,)))

    def publishers(self) -> Sequence[Publisher]:
        """`fib`."""
        return (self.fib,)

    def operational(self) -> Mapping[str, Query]:
        """`route-information` and `protocols-started-time`."""
        return {
            "route-information": self._route_information,
            "protocols-started-time": lambda _: protocols_started_time(
                self._started, self.clock.utcnow()
            ),
        }

    async def run(self, nursery: trio.Nursery) -> None:
        """Say that routing begins."""
        text = f"Commencing routing updates, version {__version__}"
        self.log.notice(RpdTag.RPD_TASK_BEGIN, text)

    async def on_change(self, change: Change) -> None:
        """Interfaces or the configuration changed."""
        if change.topic == "interfaces":
            await self._interfaces_changed(change)
            return
        await self._statics_changed(change)

    async def on_synced(self) -> None:
        """Both are known in full: decide, and tell the packet engines."""
        await self._handle(Synced())

    async def _interfaces_changed(self, change: Change) -> None:
        upserts = {}
        for name, value in change.upserts.items():
            try:
                upserts[name] = read_interface(name, value)
            except WireError as error:
                self.log.error(RpdTag.RPD_INTERFACE_READ_FAILED, str(error))
        await self._handle(InterfacesChanged(upserts=upserts, removed=change.removed))

    async def _statics_changed(self, change: Change) -> None:
        """In slices, with a turn of the loop after each: there may be very many."""
        items = iter(change.upserts.items())
        while part := tuple(islice(items, SLICE)):
            upserts = [route for key, value in part if (route := self._read(key, value))]
            await self._handle(StaticsChanged(upserts=tuple(upserts)))
        keys = iter(change.removed)
        while gone := tuple(islice(keys, SLICE)):
            removed = [prefix for key in gone if (prefix := self._read_key(key))]
            await self._handle(StaticsChanged(removed=tuple(removed)))

    def _read(self, key: str, value: bytes) -> StaticRoute | None:
        try:
            return read_static(key, value)
        except ConfigError as error:
            self.log.error(RpdTag.RPD_CONFIG_READ_FAILED, str(error))
            return None

    def _read_key(self, key: str) -> Prefix | None:
        try:
            return read_key(key)
        except ConfigError:
            # It could not be read when it came either, and that was logged.
            return None

    async def _handle(self, event: Event) -> None:
        self._carry_out(event)
        await trio.lowlevel.checkpoint()
        while self.core.pending:
            self._carry_out(Continue())
            await trio.lowlevel.checkpoint()

    def _carry_out(self, event: Event) -> None:
        for command in self.core.handle(event, self.clock.monotonic()):
            self._change_fib(command)

    def _change_fib(self, change: ChangeFib) -> None:
        for number, next_hop in change.next_hops.items():
            self.fib.set(next_hop_key(number), write_next_hop(number, next_hop))
        self.fib.set_packed(
            {prefix.key: number.to_bytes(VALUE_SIZE) for prefix, number in change.routes.items()}
        )
        self.fib.remove_packed(prefix.key for prefix in change.withdrawn)
        for number in change.released:
            self.fib.remove(next_hop_key(number))

    def _route_information(self, arguments: Mapping[str, str]) -> Json:
        try:
            destination = arguments.get("destination", "")
            return route_information(self.core, destination, self.clock.monotonic())
        except DestinationError as error:
            raise QueryError(str(error)) from error

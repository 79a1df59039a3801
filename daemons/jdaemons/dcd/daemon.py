"""The shell of dcd: feeds in, the core, the feed `interfaces` out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from jdaemons.dcd.config import PREFIX, ConfigError, read_interface
from jdaemons.dcd.core import Core
from jdaemons.dcd.events import (
    ConfigChanged,
    Event,
    LinkChanged,
    PortsChanged,
    Publish,
    Synced,
    Withdraw,
)
from jdaemons.dcd.show import interface_information
from jdaemons.dcd.wire import WireError, read_port, write_interface
from jsupervisor.runtime.daemon import Daemon, Query
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order

Value = TypeVar("Value")


class DcdTag(StrEnum):
    """What dcd has to say."""

    DCD_CONFIG_READ_FAILED = "DCD_CONFIG_READ_FAILED"
    DCD_PORT_READ_FAILED = "DCD_PORT_READ_FAILED"
    DCD_LINK_UP = "DCD_LINK_UP"
    DCD_LINK_DOWN = "DCD_LINK_DOWN"


class Dcd(Daemon):
    """The interface control process."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.core = Core()
        self.interfaces = Publisher("interfaces")

    def feeds_in(self) -> Sequence[FeedSource]:
        """The configured interfaces, and the ports there are."""
        return (FeedSource("mgd", "config", (PREFIX,)), FeedSource("chassisd", "ports"))

    def publishers(self) -> Sequence[Publisher]:
        """`interfaces`."""
        return (self.interfaces,)

    def operational(self) -> Mapping[str, Query]:
        """`interface-information`, terse."""
        return {"interface-information": lambda _: interface_information(self.core)}

    async def on_change(self, change: Change) -> None:
        """The configuration or the ports changed."""
        if change.topic == "ports":
            ports = self._read(change, read_port, DcdTag.DCD_PORT_READ_FAILED)
            self._handle(PortsChanged(upserts=ports, removed=change.removed))
            return
        configs = self._read(change, read_interface, DcdTag.DCD_CONFIG_READ_FAILED)
        self._handle(
            ConfigChanged(
                upserts={config.name: config for config in configs.values()},
                removed=frozenset(key.removeprefix(PREFIX) for key in change.removed),
            )
        )

    async def on_synced(self) -> None:
        """Both are known in full: publish."""
        self._handle(Synced())

    def _read(
        self, change: Change, read: Callable[[str, bytes], Value], tag: DcdTag
    ) -> dict[str, Value]:
        """What can be read; of the rest the last known state stays."""
        values: dict[str, Value] = {}
        for key, octets in change.upserts.items():
            try:
                values[key] = read(key, octets)
            except (ConfigError, WireError) as error:
                self.log.error(tag, str(error))
        return values

    def _handle(self, event: Event) -> None:
        for command in self.core.handle(event):
            match command:
                case Publish(interface):
                    self.interfaces.set(interface.name, write_interface(interface))
                case Withdraw(name):
                    self.interfaces.remove(name)
                case LinkChanged(name, up):
                    tag = DcdTag.DCD_LINK_UP if up else DcdTag.DCD_LINK_DOWN
                    self.log.notice(tag, f"{name} is {'up' if up else 'down'}", interface=name)

"""Decides what logical interfaces there are: pure, no I/O and no clock.

Three rules:

1. A logical interface exists while it is configured and its hardware does, as on Junos: with the FPC
   goes the port, with the port all that stands on it. lo0 needs no hardware.
2. It is up when nobody disabled it and its port has a link; lo0 always has.
3. Everything published follows from configuration and ports alone, never from the order in which they
   came or from what was published before. A successor of dcd therefore publishes the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from jdaemons.dcd.events import (
    Address,
    Command,
    ConfigChanged,
    Event,
    InterfaceConfig,
    LinkChanged,
    LogicalInterface,
    Port,
    PortsChanged,
    Publish,
    Synced,
    Unit,
    Withdraw,
)
from jdaemons.dcd.names import LOOPBACK, place_of

LOOPBACK_MTU: Final = 65535


class Core:
    """Configuration and ports as they are known, and the logical interfaces that follow."""

    def __init__(self) -> None:
        self.configs: dict[str, InterfaceConfig] = {}
        """By physical name."""
        self.ports: dict[str, Port] = {}
        self.published: dict[str, dict[str, LogicalInterface]] = {}
        """By physical name, then by logical name."""
        self._synced = False

    def handle(self, event: Event) -> list[Command]:
        """Take what happened; what to tell the others. Nothing before Synced."""
        match event:
            case ConfigChanged():
                self.configs.update(event.upserts)
                for name in event.removed:
                    self.configs.pop(name, None)
                touched: Iterable[str] = {*event.upserts, *event.removed}
            case PortsChanged():
                self.ports.update(event.upserts)
                for name in event.removed:
                    self.ports.pop(name, None)
                touched = {*event.upserts, *event.removed}
            case Synced():
                self._synced = True
                touched = self.configs
        if not self._synced:
            return []
        return [command for name in sorted(touched) for command in self._refresh(name)]

    def _refresh(self, physical: str) -> Iterator[Command]:
        """Bring what is published of one physical interface in line with what is known."""
        known = self.published.pop(physical, {})
        wanted = logical_interfaces(self.configs.get(physical), self.ports.get(physical))
        if wanted:
            self.published[physical] = wanted
        for name, interface in wanted.items():
            before = known.get(name)
            if interface != before:
                yield Publish(interface)
            if before is not None and interface.oper_up != before.oper_up:
                yield LinkChanged(name, interface.oper_up)
        for name in known:
            if name not in wanted:
                yield Withdraw(name)


def logical_interfaces(
    config: InterfaceConfig | None, port: Port | None
) -> dict[str, LogicalInterface]:
    """What follows from one interface's configuration and hardware, by name, in order of units."""
    if config is None or (port is None and config.name != LOOPBACK):
        return {}
    interfaces = (_logical(config, unit, port) for unit in config.units)
    return {interface.name: interface for interface in interfaces}


def _logical(config: InterfaceConfig, unit: Unit, port: Port | None) -> LogicalInterface:
    admin_up = not (config.disabled or unit.disabled)
    index = place_of(config.name).index(unit.number)
    name = f"{config.name}.{unit.number}"
    if port is None:
        return LogicalInterface(
            name=name,
            physical=config.name,
            unit=unit.number,
            admin_up=admin_up,
            oper_up=admin_up,
            index=index,
            mtu=config.mtu or LOOPBACK_MTU,
            addresses=(unit.inet or ()) + (unit.inet6 or ()),
        )
    return LogicalInterface(
        name=name,
        physical=config.name,
        unit=unit.number,
        admin_up=admin_up,
        oper_up=admin_up and port.link_up,
        index=index,
        fpc=port.fpc,
        pfe_port=port.pfe_port,
        mac=port.mac,
        mtu=config.mtu or port.mtu,
        addresses=(unit.inet or ()) + inet6_addresses(unit, port),
    )


def inet6_addresses(unit: Unit, port: Port | None) -> tuple[Address, ...]:
    """The unit's IPv6 addresses: those configured, and the link-local one where none of them is.

    Nothing where IPv6 is not configured. RFC 4291 section 2.8 asks every IPv6 interface to have a
    link-local address.
    """
    if unit.inet6 is None:
        return ()
    if port is None or any(_is_link_local(address) for address in unit.inet6):
        return unit.inet6
    return (*unit.inet6, link_local(port.mac))


def link_local(mac: bytes) -> Address:
    """The link-local address with the modified EUI-64 of a MAC (RFC 4291 appendix A, RFC 2464)."""
    identifier = bytes((mac[0] ^ 0x02, *mac[1:3], 0xFF, 0xFE, *mac[3:6]))
    return Address(b"\xfe\x80" + bytes(6) + identifier, 64)


def _is_link_local(address: Address) -> bool:
    return address.local[0] == 0xFE and address.local[1] & 0xC0 == 0x80

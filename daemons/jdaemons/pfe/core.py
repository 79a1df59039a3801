"""What pfectl decides: which part of the image must change for what dcd and rpd say.

It begins with what a predecessor has installed and never asks for what is already so: a restart of
pfectl, of rpd or of dcd writes nothing but real differences. What the predecessor installed and nobody
speaks of any more is removed once everything has been heard, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jdaemons.pfe.events import (
    ChangeRoutes,
    Command,
    Event,
    FibChanged,
    InterfacesChanged,
    LogicalInterface,
    Missing,
    RemoveNextHops,
    SetNextHops,
    SetPorts,
    Synced,
)
from jdaemons.pfe.values import LOOPBACK_PORT, REMOTE_PORT, Address, NextHop, Port

MAC_OCTETS: Final = 6


class Core:
    """State in, commands out; one for each FPC."""

    def __init__(
        self,
        fpc: int,
        next_hops: Mapping[int, NextHop] | None = None,
        routes: Mapping[bytes, int] | None = None,
    ) -> None:
        """`next_hops` and `routes` are what the image holds."""
        self.fpc: Final = fpc
        self.interfaces: dict[str, LogicalInterface] = {}
        self.next_hops: dict[int, NextHop] = dict(next_hops or {})
        self.routes: dict[bytes, int] = dict(routes or {})
        self.synced = False
        self._unheard_hops = set(self.next_hops)
        self._unheard_routes = set(self.routes)

    def handle(self, event: Event) -> list[Command]:
        """Apply one event; what must be written, in order."""
        match event:
            case InterfacesChanged():
                return self._interfaces_changed(event)
            case FibChanged():
                return self._fib_changed(event)
            case Synced():
                return self._all_heard()

    def _interfaces_changed(self, event: InterfacesChanged) -> list[Command]:
        self.interfaces.update(event.upserts)
        for name in event.removed:
            self.interfaces.pop(name, None)
        return [self._ports()]

    def _fib_changed(self, event: FibChanged) -> list[Command]:
        self._unheard_hops.difference_update(event.next_hops)
        self._unheard_routes.difference_update(event.routes)
        hops = {
            number: hop
            for number, hop in event.next_hops.items()
            if self.next_hops.get(number) != hop
        }
        self.next_hops.update(hops)
        differing = {
            key: number for key, number in event.routes.items() if self.routes.get(key) != number
        }
        missing = {key: n for key, n in differing.items() if n not in self.next_hops}
        upserts = {key: n for key, n in differing.items() if key not in missing}
        return self._write(hops, upserts, event.routes_removed, event.next_hops_removed, missing)

    def _all_heard(self) -> list[Command]:
        if self.synced:
            return []
        self.synced = True
        unheard = frozenset(self._unheard_routes), frozenset(self._unheard_hops)
        self._unheard_routes.clear()
        self._unheard_hops.clear()
        return [self._ports(), *self._write({}, {}, *unheard, {})]

    def _write(
        self,
        hops: Mapping[int, NextHop],
        upserts: Mapping[bytes, int],
        routes_removed: frozenset[bytes],
        hops_removed: frozenset[int],
        missing: Mapping[bytes, int],
    ) -> list[Command]:
        """In the order in which an engine may see it: no route ever names a next hop that is not."""
        self.routes.update(upserts)
        gone = frozenset(key for key in routes_removed if self.routes.pop(key, None) is not None)
        freed = frozenset(n for n in hops_removed if self.next_hops.pop(n, None) is not None)
        self._unheard_routes -= gone
        self._unheard_hops -= freed
        commands: list[Command] = []
        if hops:
            commands.append(SetNextHops(tuple(hops.values())))
        if upserts or gone:
            commands.append(ChangeRoutes(upserts, gone))
        if freed:
            commands.append(RemoveNextHops(freed))
        if missing:
            commands.append(Missing(missing))
        return commands

    def _ports(self) -> SetPorts:
        ports: dict[int, Port] = {}
        addresses: list[Address] = []
        for interface in sorted(self.interfaces.values(), key=lambda each: each.name):
            ours = interface.fpc == self.fpc and len(interface.mac) == MAC_OCTETS
            if ours:
                ports.setdefault(interface.port, _port(interface))
            where = interface.port if ours else _elsewhere(interface)
            addresses += [
                Address(port=where, local=local, prefix_length=length)
                for local, length in interface.addresses
            ]
        return SetPorts(ports, tuple(addresses))


def _elsewhere(interface: LogicalInterface) -> int:
    return REMOTE_PORT if interface.mac else LOOPBACK_PORT


def _port(interface: LogicalInterface) -> Port:
    return Port(
        name=interface.physical, mac=interface.mac, mtu=interface.mtu, up=interface.admin_up
    )

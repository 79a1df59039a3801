"""What goes into pfectl's core, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jdaemons.pfe.values import Address, NextHop, Port


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalInterface:
    """One of dcd's."""

    name: str
    physical: str
    unit: int
    admin_up: bool
    fpc: int
    port: int
    """Index of the port in its packet engine."""
    mac: bytes
    """Empty for the loopback."""
    mtu: int
    addresses: tuple[tuple[bytes, int], ...] = ()
    """Own address of 4 or 16 octets, and prefix length."""


@dataclass(frozen=True, slots=True)
class InterfacesChanged:
    """dcd says what differs."""

    upserts: Mapping[str, LogicalInterface] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FibChanged:
    """rpd says what differs; routes name next hops by ID."""

    next_hops: Mapping[int, NextHop] = field(default_factory=dict)
    routes: Mapping[bytes, int] = field(default_factory=dict)
    routes_removed: frozenset[bytes] = frozenset()
    next_hops_removed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything that dcd and rpd know has been heard."""


Event = InterfacesChanged | FibChanged | Synced


@dataclass(frozen=True, slots=True)
class SetPorts:
    """All ports of this FPC by index, and all own addresses of the router."""

    ports: Mapping[int, Port]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class SetNextHops:
    """Install these, or change them."""

    next_hops: tuple[NextHop, ...]


@dataclass(frozen=True, slots=True)
class ChangeRoutes:
    """Install, repoint and remove these."""

    upserts: Mapping[bytes, int]
    removed: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class RemoveNextHops:
    """No route names these any more."""

    ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Missing:
    """Routes name next hops that nobody told of; they are not installed."""

    routes: Mapping[bytes, int]


Command = SetPorts | SetNextHops | ChangeRoutes | RemoveNextHops | Missing

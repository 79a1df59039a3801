"""What goes into the core of rpd and what comes out of it: frozen, comparable, loggable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from jdaemons.rpd.nexthops import Forwarding
from jdaemons.rpd.prefix import Prefix

STATIC_PREFERENCE = 5


class Action(Enum):
    """What a static route without next hops does to packets."""

    DISCARD = "discard"
    """Drops them silently."""
    REJECT = "reject"
    """Drops them and tells the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticRoute:
    """One configured route: an action, or gateways in order of preference."""

    prefix: Prefix
    gateways: tuple[int, ...] = ()
    action: Action | None = None
    preference: int = STATIC_PREFERENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceAddress:
    """An interface's own address."""

    family: int
    address: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A logical interface as dcd tells of it, as far as routing is concerned."""

    name: str
    index: int
    up: bool
    fpc: int = 0
    pfe_port: int = 0
    addresses: tuple[InterfaceAddress, ...] = ()


# -- in -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfacesChanged:
    """Interfaces came, changed or went; keyed by name."""

    upserts: Mapping[str, Interface]
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticsChanged:
    """Static routes were configured, changed, or are configured no more."""

    upserts: tuple[StaticRoute, ...] = ()
    removed: tuple[Prefix, ...] = ()


@dataclass(frozen=True, slots=True)
class Synced:
    """Interfaces and configuration are known in full: from here on rpd decides."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on with what an earlier event left to do."""


Event = InterfacesChanged | StaticsChanged | Synced | Continue


# -- out ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFib:
    """What to tell the packet engines; carry it out in the order of the fields."""

    next_hops: Mapping[int, Forwarding]
    """New ones, or others under a known number."""
    routes: Mapping[Prefix, int]
    """New ones, or known ones with another next hop, by its number."""
    withdrawn: tuple[Prefix, ...]
    released: tuple[int, ...]
    """Numbers of next hops that no route uses any more."""


Command = ChangeFib

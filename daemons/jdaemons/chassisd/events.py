"""What goes into the core of chassisd and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jsupervisor.runtime.chassis import PortPlace


@dataclass(frozen=True, slots=True)
class LinksHeard:
    """An FPC's packet engine told about links: name to up. A name without a link is not there."""

    fpc: int
    links: Mapping[str, bool]
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """FPCs that have not been heard of are not waited for any longer."""


Event = LinksHeard | DeadlinePassed


@dataclass(frozen=True, slots=True)
class Publish:
    """A port of an online FPC, new or changed."""

    port: PortPlace
    link_up: bool


@dataclass(frozen=True, slots=True)
class FpcChanged:
    """An FPC has a new state, by Junos' name for it."""

    fpc: int
    state: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Every FPC is either online or given up: what is published is complete."""


Command = Publish | FpcChanged | Settled

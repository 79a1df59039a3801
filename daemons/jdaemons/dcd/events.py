"""What goes into the core of dcd and what comes out of it: frozen, comparable, loggable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True)
class Address:
    """An interface's own address; `local` is 4 or 16 octets."""

    local: bytes
    prefix_length: int

    def __str__(self) -> str:
        return f"{ip_address(self.local)}/{self.prefix_length}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One configured unit; a family that is not configured is None."""

    number: int
    disabled: bool = False
    inet: tuple[Address, ...] | None = None
    inet6: tuple[Address, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceConfig:
    """What is configured under one physical interface."""

    name: str
    description: str = ""
    disabled: bool = False
    mtu: int | None = None
    units: tuple[Unit, ...] = ()
    """In ascending order of their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port that exists, because its FPC is online."""

    name: str
    fpc: int
    mac: bytes
    mtu: int
    link_up: bool
    pfe_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalInterface:
    """What other modules hear; the fields of LogicalInterface in dcd.proto."""

    name: str
    physical: str
    unit: int
    admin_up: bool
    """Neither the unit nor its physical interface is disabled."""
    oper_up: bool
    """Admin up, and the port has a link."""
    index: int
    fpc: int = 0
    pfe_port: int = 0
    mac: bytes = b""
    mtu: int
    addresses: tuple[Address, ...] = ()


# -- in -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanged:
    """Interfaces were configured, changed, or are configured no more; keyed by physical name."""

    upserts: Mapping[str, InterfaceConfig]
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortsChanged:
    """Ports came, changed or went; keyed by name."""

    upserts: Mapping[str, Port]
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Synced:
    """Configuration and ports are known in full: from here on dcd speaks."""


Event = ConfigChanged | PortsChanged | Synced


# -- out ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell the others of a logical interface, new or changed."""

    interface: LogicalInterface


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A logical interface is no more."""

    name: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A logical interface that was known went up or down: an operator wants to read it."""

    name: str
    up: bool


Command = Publish | Withdraw | LinkChanged

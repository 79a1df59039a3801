"""What pfectl installs, as frozen values, and their records in the image. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_NEXT_HOP: Final = struct.Struct("<IBBHHHI16s32s")
_PORT: Final = struct.Struct("<BB6sI20s")
_ADDRESS: Final = struct.Struct("<BBH16s")

LOOPBACK_PORT: Final = 0xFFFF
"""The port of addresses of the loopback."""
REMOTE_PORT: Final = 0xFFFE
"""The port of addresses that belong to ports of other FPCs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """As in rpd.proto; `type` is a layout.NextHopType."""

    id: int
    type: int
    fpc: int = 0
    port: int = 0
    interface: str = ""
    """Logical interface."""
    gateway: bytes = b""

    def to_record(self, generation: int) -> bytes:
        """The octets of layout.NEXT_HOP."""
        return _NEXT_HOP.pack(
            self.id,
            self.type,
            {4: 4, 16: 6}.get(len(self.gateway), 0),
            self.fpc,
            self.port,
            0,
            generation,
            self.gateway,
            self.interface.encode()[:32],
        )

    @classmethod
    def from_record(cls, record: bytes) -> NextHop:
        """Back from the octets."""
        number, kind, family, fpc, port, _, _, gateway, interface = _NEXT_HOP.unpack(record)
        return cls(
            id=number,
            type=kind,
            fpc=fpc,
            port=port,
            interface=interface.rstrip(b"\0").decode(errors="replace"),
            gateway=gateway[: {4: 4, 6: 16}.get(family, 0)],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of this FPC that has a logical interface."""

    name: str
    """Physical interface."""
    mac: bytes
    mtu: int
    """Octets of a frame, its Ethernet header included."""
    up: bool = True
    """Not disabled by the configuration."""

    def to_record(self) -> bytes:
        """The octets of layout.PORT."""
        return _PORT.pack(1, self.up, self.mac, self.mtu, self.name.encode()[:20])

    @classmethod
    def from_record(cls, record: bytes) -> Port | None:
        """Back from the octets; None for an index that no port has."""
        used, up, mac, mtu, name = _PORT.unpack(record)
        if not used:
            return None
        return cls(name=name.rstrip(b"\0").decode(errors="replace"), mac=mac, mtu=mtu, up=bool(up))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One of the router's own addresses."""

    port: int
    """Index, or LOOPBACK_PORT or REMOTE_PORT."""
    local: bytes
    """4 or 16 octets."""
    prefix_length: int

    def to_record(self) -> bytes:
        """The octets of layout.ADDRESS."""
        family = 4 if len(self.local) == 4 else 6
        return _ADDRESS.pack(family, self.prefix_length, self.port, self.local)

    @classmethod
    def from_record(cls, record: bytes) -> Address | None:
        """Back from the octets; None for a free record."""
        family, length, port, local = _ADDRESS.unpack(record)
        if family not in (4, 6):
            return None
        return cls(port=port, local=local[: 4 if family == 4 else 16], prefix_length=length)

    def covers(self, address: bytes) -> bool:
        """Is `address` in this one's subnet?"""
        if len(address) != len(self.local):
            return False
        differing = int.from_bytes(address) ^ int.from_bytes(self.local)
        return differing >> (8 * len(address) - self.prefix_length) == 0

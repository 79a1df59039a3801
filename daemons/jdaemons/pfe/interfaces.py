"""The engine's view of its ports and the router's addresses, read from the image at every change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from jdaemons.pfe.layout import Image
from jdaemons.pfe.packets import ETH_HEADER, link_local
from jdaemons.pfe.values import LOOPBACK_PORT, Address, Port

MAC_MASK: Final = np.uint64(0xFFFFFFFFFFFF)
"""The octets of a little-endian u64 column that hold a MAC."""


def is_link_local(address: bytes) -> bool:
    """Is it in fe80::/10?"""
    return len(address) == 16 and address[0] == 0xFE and address[1] & 0xC0 == 0x80


@dataclass(frozen=True, slots=True)
class Interface:
    """One port of this FPC that has a logical interface."""

    index: int
    name: str
    mac: bytes
    mtu: int
    """Octets of an IP packet."""
    up: bool
    addresses: tuple[Address, ...]
    link_local: bytes
    mac_word: np.uint64

    def owns(self, address: bytes) -> bool:
        """Is it one of this interface's addresses?"""
        return address == self.link_local or any(own.local == address for own in self.addresses)

    def on_link(self, address: bytes) -> bool:
        """May a neighbour on this link have that address?"""
        return is_link_local(address) or any(own.covers(address) for own in self.addresses)

    def source_for(self, target: bytes) -> bytes | None:
        """The own address to speak to a neighbour with: in its subnet if there is one."""
        same = [own for own in self.addresses if len(own.local) == len(target)]
        for own in same:
            if own.covers(target):
                return own.local
        if len(target) == 16:
            return self.link_local
        return same[0].local if same else None


@dataclass(frozen=True, slots=True)
class Interfaces:
    """All of them."""

    by_index: dict[int, Interface] = field(default_factory=dict)
    by_name: dict[str, Interface] = field(default_factory=dict)
    own: frozenset[bytes] = frozenset()
    """Every address of this router that the image tells of, link-local ones included."""
    loopback: tuple[bytes, ...] = ()

    def source(self, family: int, ingress: Interface | None) -> bytes | None:
        """The own address for an ICMP error: the ingress port's, else the loopback's, else any."""
        size = 4 if family == 4 else 16
        near = [own.local for own in ingress.addresses] if ingress else []
        every = [own.local for port in self.by_index.values() for own in port.addresses]
        for address in (*near, *self.loopback, *every):
            if len(address) == size and not is_link_local(address):
                return address
        return ingress.link_local if ingress and family == 6 else None


def read_interfaces(image: Image) -> Interfaces:
    """What the image says now."""
    rows = image.addresses[image.addresses["family"] != 0]
    records = [Address.from_record(row.tobytes()) for row in rows]
    addresses = [address for address in records if address is not None]
    by_index: dict[int, Interface] = {}
    for index in np.nonzero(image.ports["used"])[0].tolist():
        port = Port.from_record(image.ports[index].tobytes())
        if port is not None:
            own = tuple(each for each in addresses if each.port == index)
            by_index[index] = _interface(index, port, own)
    return Interfaces(
        by_index,
        {port.name: port for port in by_index.values()},
        frozenset(address.local for address in addresses)
        | frozenset(port.link_local for port in by_index.values()),
        tuple(address.local for address in addresses if address.port == LOOPBACK_PORT),
    )


def _interface(index: int, port: Port, addresses: tuple[Address, ...]) -> Interface:
    return Interface(
        index=index,
        name=port.name,
        mac=port.mac,
        mtu=port.mtu - ETH_HEADER,
        up=port.up,
        addresses=addresses,
        link_local=link_local(port.mac),
        mac_word=np.uint64(int.from_bytes(port.mac, "little")),
    )

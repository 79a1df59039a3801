"""Destinations: what a route leads to, as numbers, as text and as a record of the feed `fib`."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Final, NamedTuple

WIDTHS: Final = MappingProxyType({4: 32, 6: 128})
"""Bits of an address, by family."""

KEY_SIZE: Final = 18
_LINK_LOCAL: Final = 0xFE80 >> 6


class Prefix(NamedTuple):
    """An IPv4 or IPv6 prefix; no bit of `value` is set behind `length`. Orders as routes are listed."""

    family: int
    """4 or 6."""
    value: int
    length: int

    def __str__(self) -> str:
        return f"{address_text(self.family, self.value)}/{self.length}"

    @property
    def last(self) -> int:
        """The highest address inside; `value` is the lowest."""
        return self.value | (1 << WIDTHS[self.family] - self.length) - 1

    @property
    def key(self) -> bytes:
        """The key of a packed record in the feed `fib` (see rpd.proto)."""
        octets = WIDTHS[self.family] // 8
        return (
            bytes((self.family, self.length))
            + self.value.to_bytes(octets)
            + bytes(KEY_SIZE - 2 - octets)
        )


def around(family: int, address: int, length: int) -> Prefix:
    """The prefix of that length that an address lies in."""
    host_bits = WIDTHS[family] - length
    return Prefix(family, address >> host_bits << host_bits, length)


def host(family: int, address: int) -> Prefix:
    """The prefix of one address alone."""
    return Prefix(family, address, WIDTHS[family])


def parse_prefix(text: str) -> Prefix:
    """The prefix in a text, "192.0.2.0/24"; raises ValueError, also for host bits that are set."""
    network = ip_network(text)
    return Prefix(network.version, int(network.network_address), network.prefixlen)


def address_text(family: int, address: int) -> str:
    """An address as text."""
    return str(ip_address(address.to_bytes(WIDTHS[family] // 8)))


def is_link_local(family: int, address: int) -> bool:
    """Does an address mean something on one link only (RFC 4291 section 2.5.6)?"""
    return family == 6 and address >> 118 == _LINK_LOCAL

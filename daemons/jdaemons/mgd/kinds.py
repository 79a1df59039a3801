"""What a word may look like: one small checker for each kind of value that the schema names.

A checker gives the canonical form, so that equal meaning is equal bytes, or raises ValueError with
what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import (
    IPv4Interface,
    IPv6Interface,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Final

MAX_UNIT: Final = 16385

_NUMBER: Final = "(0|[1-9][0-9]{0,2})"
_INTERFACE: Final = re.compile(rf"(?:fe|ge|xe|et)-{_NUMBER}/{_NUMBER}/{_NUMBER}")
_SLASH: Final = re.compile(r"[0-9A-Fa-f:.]+/[0-9]{1,3}")
"""Digits behind the slash: no netmask, and no zone before it."""
_PLACES: Final = (31, 3, 127)
"""The highest FPC slot, PIC and port that dcd can number."""


def _text(word: str) -> str:
    if any(ord(character) < 32 for character in word):
        raise ValueError("a control character is not allowed here")
    return word


def _host_name(word: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9])?", word):
        raise ValueError(f"'{word}' is not a host name")
    return word


def _interface(word: str) -> str:
    match = _INTERFACE.fullmatch(word)
    if word != "lo0" and match is None:
        raise ValueError(f"'{word}' is not an interface name, such as ge-0/0/0 or lo0")
    if match is not None:
        for number, most, what in zip(
            match.groups(), _PLACES, ("slot", "PIC", "port"), strict=True
        ):
            if int(number) > most:
                raise ValueError(f"'{word}' is not an interface name: no {what} is above {most}")
    return word


def number(least: int, most: int) -> Callable[[str], str]:
    """A checker for whole numbers within bounds."""

    def check(word: str) -> str:
        if not re.fullmatch(r"[0-9]{1,10}", word) or not least <= int(word) <= most:
            raise ValueError(f"'{word}' is not a number from {least} to {most}")
        return str(int(word))

    return check


def _interface_address(version: int) -> Callable[[str], str]:
    def check(word: str) -> str:
        try:
            interface = ip_interface(word) if _SLASH.fullmatch(word) else None
        except ValueError:
            interface = None
        if interface is None or interface.version != version:
            raise ValueError(f"'{word}' is not an IPv{version} address with a prefix length")
        if interface.ip.is_multicast or interface.ip.is_unspecified:
            raise ValueError(f"'{word}' cannot be an interface's address")
        if version == 4 and _is_of_the_network(interface):
            raise ValueError(f"'{word}' is the network's own or its broadcast address")
        return str(interface)

    return check


def _is_of_the_network(interface: IPv4Interface | IPv6Interface) -> bool:
    """The first and the last address are nobody's, except on a point-to-point /31 (RFC 3021)."""
    network = interface.network
    ends = (network.network_address, network.broadcast_address)
    return network.prefixlen < 31 and interface.ip in ends


def _prefix(version: int) -> Callable[[str], str]:
    def check(word: str) -> str:
        try:
            network = ip_network(word)
        except ValueError as error:
            bits = " (host bits are set)" if "host bits" in str(error) else ""
            raise ValueError(f"'{word}' is not a prefix{bits}") from None
        if network.version != version or ("/" in word and not _SLASH.fullmatch(word)):
            raise ValueError(f"'{word}' is not an IPv{version} prefix")
        if network.is_multicast:
            raise ValueError(f"'{word}' is multicast, which is not routed")
        return str(network)

    return check


def _gateway(word: str) -> str:
    try:
        address = ip_address(word if "%" not in word else "")
    except ValueError:
        raise ValueError(f"'{word}' is not an address") from None
    if address.is_multicast or address.is_unspecified:
        raise ValueError(f"'{word}' cannot be a next hop")
    return str(address)


KINDS: Final[Mapping[str, Callable[[str], str]]] = {
    "text": _text,
    "host-name": _host_name,
    "interface": _interface,
    "unit": number(0, MAX_UNIT),
    "mtu": number(256, 9192),
    "preference": number(0, 2**32 - 1),
    "inet-address": _interface_address(4),
    "inet6-address": _interface_address(6),
    "inet-prefix": _prefix(4),
    "inet6-prefix": _prefix(6),
    "gateway": _gateway,
}

"""What a word may look like: one small checker for each kind of value that the schema names.

A checker gives the canonical form, so that equal meaning is equal bytes, or raises ValueError with
what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_interface, ip_network
from typing import Final

MAX_UNIT: Final = 16385


def _text(word: str) -> str:
    if any(ord(character) < 32 for character in word):
        raise ValueError("a control character is not allowed here")
    return word


def _host_name(word: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9])?", word):
        raise ValueError(f"'{word}' is not a host name")
    return word


def _interface(word: str) -> str:
    if not re.fullmatch(r"[a-z]{2,5}-\d{1,3}/\d{1,3}/\d{1,3}|lo0", word):
        raise ValueError(f"'{word}' is not an interface name, such as ge-0/0/0 or lo0")
    return word


def number(least: int, most: int) -> Callable[[str], str]:
    """A checker for whole numbers within bounds."""

    def check(word: str) -> str:
        if not re.fullmatch(r"\d{1,10}", word) or not least <= int(word) <= most:
            raise ValueError(f"'{word}' is not a number from {least} to {most}")
        return str(int(word))

    return check


def _interface_address(version: int) -> Callable[[str], str]:
    def check(word: str) -> str:
        try:
            interface = ip_interface(word)
        except ValueError:
            raise ValueError(f"'{word}' is not an address with a prefix length") from None
        if "/" not in word or interface.version != version:
            raise ValueError(f"'{word}' is not an IPv{version} address with a prefix length")
        if interface.ip.is_multicast or interface.ip.is_unspecified:
            raise ValueError(f"'{word}' cannot be an interface's address")
        hosts = 31 if version == 4 else 128
        network = interface.network
        if (
            version == 4
            and network.prefixlen < hosts
            and interface.ip
            in (
                network.network_address,
                network.broadcast_address,
            )
        ):
            raise ValueError(f"'{word}' is the network's own or its broadcast address")
        return str(interface)

    return check


def _prefix(version: int) -> Callable[[str], str]:
    def check(word: str) -> str:
        try:
            network = ip_network(word if "/" in word else f"{word}/{32 if version == 4 else 128}")
        except ValueError as error:
            bits = " (host bits are set)" if "host bits" in str(error) else ""
            raise ValueError(f"'{word}' is not a prefix{bits}") from None
        if network.version != version:
            raise ValueError(f"'{word}' is not an IPv{version} prefix")
        return str(network)

    return check


def _gateway(word: str) -> str:
    try:
        address = ip_address(word)
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

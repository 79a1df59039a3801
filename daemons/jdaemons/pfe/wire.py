"""Interfaces, next hops, links and counters between pfectl's values and the messages on feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError

from jdaemons.pfe.events import LogicalInterface
from jdaemons.pfe.layout import NextHopType
from jdaemons.pfe.values import NextHop
from jprotos.dcd.v1 import dcd_pb2
from jprotos.pfe.v1 import pfe_pb2
from jprotos.rpd.v1 import rpd_pb2

NEXT_HOP_PREFIX: Final = "nh/"
_ADDRESS_OCTETS: Final = (4, 16)


class WireError(ValueError):
    """An item of a feed cannot be read; the text, beginning with "cannot", names it."""


def read_interface(key: str, value: bytes) -> LogicalInterface:
    """One item of the feed `interfaces`; raises WireError."""
    try:
        message = dcd_pb2.LogicalInterface.FromString(value)
    except DecodeError as error:
        raise WireError(f"cannot read interface {key}: {error}") from error
    if len(message.mac) not in (0, 6):
        raise WireError(f"cannot read interface {key}: {message.mac.hex()!r} is not a MAC")
    return LogicalInterface(
        name=key,
        physical=message.physical,
        unit=message.unit,
        admin_up=message.admin_up,
        fpc=message.fpc,
        port=message.pfe_port,
        mac=message.mac,
        mtu=message.mtu,
        addresses=tuple(
            (address.local, address.prefix_length)
            for address in message.addresses
            if len(address.local) in _ADDRESS_OCTETS
            and address.prefix_length <= 8 * len(address.local)
        ),
    )


def next_hop_id(key: str) -> int:
    """The ID in a key of the feed `fib`; raises WireError."""
    number = key.removeprefix(NEXT_HOP_PREFIX)
    if not number.isdecimal() or not 1 <= int(number) < 1 << 32:
        raise WireError(f"cannot read next hop {key}: the key is not nh/ID")
    return int(number)


def read_next_hop(key: str, value: bytes) -> NextHop:
    """One item of the feed `fib`; raises WireError."""
    number = next_hop_id(key)
    try:
        message = rpd_pb2.NextHop.FromString(value)
    except DecodeError as error:
        raise WireError(f"cannot read next hop {key}: {error}") from error
    kind = int(message.type)
    if kind not in tuple(NextHopType) or kind == NextHopType.FREE:
        raise WireError(f"cannot read next hop {key}: there is no type {kind}")
    if kind == NextHopType.UNICAST and len(message.gateway) not in _ADDRESS_OCTETS:
        raise WireError(f"cannot read next hop {key}: {message.gateway.hex()!r} is no gateway")
    return NextHop(
        id=number,
        type=kind,
        fpc=message.fpc,
        port=message.pfe_port,
        interface=message.interface,
        gateway=message.gateway if kind == NextHopType.UNICAST else b"",
    )


def is_route_key(key: bytes) -> bool:
    """Is it family, length and 16 octets, with no bit set beyond the length?"""
    if len(key) != 18 or key[0] not in (4, 6) or key[1] > (32 if key[0] == 4 else 128):
        return False
    return int.from_bytes(key[2:]) & ((1 << (128 - key[1])) - 1) == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The state of one port."""

    name: str
    up: bool = False
    spec: str = ""
    error: str = ""


def write_link(link: Link) -> bytes:
    """One item of the feed `links`."""
    message = pfe_pb2.Link(name=link.name, up=link.up, spec=link.spec, error=link.error)
    return message.SerializeToString(deterministic=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What a port, or the engine, has counted."""

    input_packets: int = 0
    input_bytes: int = 0
    output_packets: int = 0
    output_bytes: int = 0
    drops: Mapping[str, int]


def write_counters(counters: Counters) -> bytes:
    """One item of the feed `counters`."""
    message = pfe_pb2.Counters(
        input_packets=counters.input_packets,
        input_bytes=counters.input_bytes,
        output_packets=counters.output_packets,
        output_bytes=counters.output_bytes,
        drops=counters.drops,
    )
    return message.SerializeToString(deterministic=True)

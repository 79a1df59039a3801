"""Interfaces and next hops between the core's values and the messages on feeds."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError

from jdaemons.rpd.events import Interface, InterfaceAddress
from jdaemons.rpd.nexthops import Forwarding
from jprotos.dcd.v1 import dcd_pb2
from jprotos.rpd.v1 import rpd_pb2

_FAMILIES: Final = ((4, 4), (16, 6))


class WireError(ValueError):
    """An item of a feed cannot be read; the text, beginning with "cannot", names it."""


def read_interface(key: str, value: bytes) -> Interface:
    """One item of the feed `interfaces`; raises WireError."""
    try:
        message = dcd_pb2.LogicalInterface.FromString(value)
    except DecodeError as error:
        raise WireError(f"cannot read interface {key}: {error}") from error
    if message.name != key:
        raise WireError(f"cannot read interface {key}: it says {message.name!r}")
    return Interface(
        name=key,
        index=message.index,
        up=message.oper_up,
        fpc=message.fpc,
        pfe_port=message.pfe_port,
        addresses=tuple(_address(key, address) for address in message.addresses),
    )


def write_next_hop(number: int, next_hop: Forwarding) -> bytes:
    """One item of the feed `fib`: the same octets for the same next hop."""
    message = rpd_pb2.NextHop(
        id=number,
        type=rpd_pb2.NextHopType.ValueType(next_hop.type),
        interface=next_hop.interface,
        fpc=next_hop.fpc,
        pfe_port=next_hop.pfe_port,
        gateway=next_hop.gateway,
    )
    return message.SerializeToString(deterministic=True)


def next_hop_key(number: int) -> str:
    """The key of a next hop in the feed `fib`."""
    return f"nh/{number}"


def _address(key: str, address: dcd_pb2.Address) -> InterfaceAddress:
    for octets, family in _FAMILIES:
        if len(address.local) == octets and address.prefix_length <= octets * 8:
            return InterfaceAddress(
                family=family,
                address=int.from_bytes(address.local),
                length=address.prefix_length,
            )
    text = f"{address.local.hex()}/{address.prefix_length}"
    raise WireError(f"cannot read interface {key}: {text} is not an address")

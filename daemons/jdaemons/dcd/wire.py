"""Ports and logical interfaces between the core's values and the messages on feeds."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from jdaemons.dcd.events import LogicalInterface, Port
from jprotos.chassisd.v1 import chassisd_pb2
from jprotos.dcd.v1 import dcd_pb2


class WireError(ValueError):
    """An item of a feed cannot be read; the text, beginning with "cannot", names it."""


def read_port(key: str, value: bytes) -> Port:
    """One item of the feed `ports`; raises WireError."""
    try:
        message = chassisd_pb2.Port.FromString(value)
    except DecodeError as error:
        raise WireError(f"cannot read port {key}: {error}") from error
    if message.name != key or len(message.mac) != 6:
        raise WireError(f"cannot read port {key}: it says {message.name!r}, {message.mac.hex()!r}")
    return Port(
        name=key,
        fpc=message.fpc,
        mac=message.mac,
        mtu=message.mtu,
        link_up=message.link_up,
        pfe_port=message.pfe_port,
    )


def write_interface(interface: LogicalInterface) -> bytes:
    """One item of the feed `interfaces`: the same octets for the same interface."""
    message = dcd_pb2.LogicalInterface(
        name=interface.name,
        physical=interface.physical,
        unit=interface.unit,
        admin_up=interface.admin_up,
        oper_up=interface.oper_up,
        index=interface.index,
        fpc=interface.fpc,
        pfe_port=interface.pfe_port,
        mac=interface.mac,
        mtu=interface.mtu,
        addresses=[
            dcd_pb2.Address(local=address.local, prefix_length=address.prefix_length)
            for address in interface.addresses
        ],
    )
    return message.SerializeToString(deterministic=True)

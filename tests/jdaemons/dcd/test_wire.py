"""Messages of the feeds that dcd reads and writes."""

from __future__ import annotations

import pytest

from jdaemons.dcd.events import Address, LogicalInterface, Port
from jdaemons.dcd.wire import WireError, read_port, write_interface
from jprotos.chassisd.v1 import chassisd_pb2
from jprotos.dcd.v1 import dcd_pb2

MAC = bytes.fromhex("02aabbccddee")


def test_a_port_is_read() -> None:
    message = chassisd_pb2.Port(
        name="ge-1/0/2", fpc=1, port=2, mac=MAC, mtu=1514, link_up=True, pfe_port=4
    )

    assert Port(name="ge-1/0/2", fpc=1, mac=MAC, mtu=1514, link_up=True, pfe_port=4) == read_port(
        "ge-1/0/2", message.SerializeToString()
    )


@pytest.mark.parametrize(
    "value",
    [
        b"\xff",
        chassisd_pb2.Port(name="ge-0/0/1", mac=MAC).SerializeToString(),
        chassisd_pb2.Port(name="ge-0/0/0", mac=b"\x02").SerializeToString(),
    ],
)
def test_what_is_no_port_is_refused(value: bytes) -> None:
    with pytest.raises(WireError, match=r"^cannot read port ge-0/0/0: "):
        read_port("ge-0/0/0", value)


def test_an_interface_is_written() -> None:
    interface = LogicalInterface(
        name="ge-0/0/0.5",
        physical="ge-0/0/0",
        unit=5,
        admin_up=True,
        oper_up=False,
        index=77,
        fpc=1,
        pfe_port=2,
        mac=MAC,
        mtu=1514,
        addresses=(Address(bytes((192, 0, 2, 1)), 24),),
    )

    assert dcd_pb2.LogicalInterface(
        name="ge-0/0/0.5",
        physical="ge-0/0/0",
        unit=5,
        admin_up=True,
        oper_up=False,
        index=77,
        fpc=1,
        pfe_port=2,
        mac=MAC,
        mtu=1514,
        addresses=[dcd_pb2.Address(local=bytes((192, 0, 2, 1)), prefix_length=24)],
    ) == dcd_pb2.LogicalInterface.FromString(write_interface(interface))

"""Messages of the feeds that rpd reads and writes."""

from __future__ import annotations

import pytest

from jdaemons.rpd.events import Interface, InterfaceAddress
from jdaemons.rpd.nexthops import Forwarding, NextHopType
from jdaemons.rpd.wire import WireError, next_hop_key, read_interface, write_next_hop
from jprotos.dcd.v1 import dcd_pb2
from jprotos.rpd.v1 import rpd_pb2


def test_an_interface_is_read() -> None:
    message = dcd_pb2.LogicalInterface(
        name="ge-0/0/0.0",
        admin_up=True,
        oper_up=True,
        index=7,
        fpc=1,
        pfe_port=2,
        addresses=[
            dcd_pb2.Address(local=bytes((192, 0, 2, 1)), prefix_length=24),
            dcd_pb2.Address(local=bytes(15) + b"\x01", prefix_length=128),
        ],
    )

    assert Interface(
        name="ge-0/0/0.0",
        index=7,
        up=True,
        fpc=1,
        pfe_port=2,
        addresses=(
            InterfaceAddress(family=4, address=0xC0000201, length=24),
            InterfaceAddress(family=6, address=1, length=128),
        ),
    ) == read_interface("ge-0/0/0.0", message.SerializeToString())


@pytest.mark.parametrize(
    "message",
    [
        dcd_pb2.LogicalInterface(name="ge-0/0/1.0"),
        dcd_pb2.LogicalInterface(
            name="ge-0/0/0.0", addresses=[dcd_pb2.Address(local=b"\x01", prefix_length=1)]
        ),
        dcd_pb2.LogicalInterface(
            name="ge-0/0/0.0", addresses=[dcd_pb2.Address(local=bytes(4), prefix_length=33)]
        ),
    ],
)
def test_what_is_no_interface_is_refused(message: dcd_pb2.LogicalInterface) -> None:
    with pytest.raises(WireError, match=r"^cannot read interface ge-0/0/0\.0: "):
        read_interface("ge-0/0/0.0", message.SerializeToString())


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(WireError, match=r"^cannot read interface ge-0/0/0\.0: "):
        read_interface("ge-0/0/0.0", b"\xff")


def test_a_next_hop_is_written() -> None:
    hop = Forwarding(NextHopType.UNICAST, "ge-0/0/0.0", 1, 2, bytes((192, 0, 2, 2)))

    assert rpd_pb2.NextHop(
        id=9,
        type=rpd_pb2.NEXT_HOP_TYPE_UNICAST,
        interface="ge-0/0/0.0",
        fpc=1,
        pfe_port=2,
        gateway=bytes((192, 0, 2, 2)),
    ) == rpd_pb2.NextHop.FromString(write_next_hop(9, hop))
    assert "nh/9" == next_hop_key(9)


@pytest.mark.parametrize("type_", NextHopType)
def test_the_types_are_those_of_the_proto(type_: NextHopType) -> None:
    assert f"NEXT_HOP_TYPE_{type_.name}" == rpd_pb2.NextHopType.Name(
        rpd_pb2.NextHopType.ValueType(type_)
    )

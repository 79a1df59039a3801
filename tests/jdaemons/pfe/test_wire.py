"""Items of feeds, read and refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.pfe.fakes import ip, route
from jdaemons.pfe.layout import NextHopType
from jdaemons.pfe.values import NextHop
from jdaemons.pfe.wire import (
    Counters,
    Link,
    WireError,
    is_route_key,
    read_interface,
    read_next_hop,
    write_counters,
    write_link,
)
from jprotos.dcd.v1 import dcd_pb2
from jprotos.pfe.v1 import pfe_pb2
from jprotos.rpd.v1 import rpd_pb2


def test_an_interface_is_read_and_addresses_that_are_none_are_left_out() -> None:
    message = dcd_pb2.LogicalInterface(
        name="ge-0/0/0.0",
        physical="ge-0/0/0",
        admin_up=True,
        mac=b"\2" * 6,
        mtu=1514,
        pfe_port=4,
        addresses=[
            dcd_pb2.Address(local=ip("192.0.2.1"), prefix_length=24),
            dcd_pb2.Address(local=b"abc", prefix_length=8),
            dcd_pb2.Address(local=ip("192.0.2.1"), prefix_length=33),
        ],
    )
    interface = read_interface("ge-0/0/0.0", message.SerializeToString())

    assert ("ge-0/0/0", 4, 1514) == (interface.physical, interface.port, interface.mtu)
    assert ((ip("192.0.2.1"), 24),) == interface.addresses


@pytest.mark.parametrize("value", [b"\xff", dcd_pb2.LogicalInterface(mac=b"1").SerializeToString()])
def test_an_interface_that_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(WireError, match=r"^cannot read interface ge-0/0/0\.0: "):
        read_interface("ge-0/0/0.0", value)


def test_a_next_hop_is_read() -> None:
    message = rpd_pb2.NextHop(
        id=7, type=rpd_pb2.NEXT_HOP_TYPE_UNICAST, interface="i", fpc=1, pfe_port=2, gateway=b"abcd"
    )
    expected = NextHop(
        id=7, type=NextHopType.UNICAST, interface="i", fpc=1, port=2, gateway=b"abcd"
    )

    assert expected == read_next_hop("nh/7", message.SerializeToString())


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("nh/7", rpd_pb2.NextHop(type=rpd_pb2.NEXT_HOP_TYPE_UNICAST, gateway=b"abc")),
        ("nh/7", rpd_pb2.NextHop()),
        ("nh/7", rpd_pb2.NextHop(type=rpd_pb2.NextHopType.ValueType(99))),
        ("nh/x", rpd_pb2.NextHop(type=rpd_pb2.NEXT_HOP_TYPE_DISCARD)),
        ("nh/0", rpd_pb2.NextHop(type=rpd_pb2.NEXT_HOP_TYPE_DISCARD)),
    ],
)
def test_a_next_hop_that_is_none_is_refused(key: str, message: rpd_pb2.NextHop) -> None:
    with pytest.raises(WireError, match=f"^cannot read next hop {key}: "):
        read_next_hop(key, message.SerializeToString())


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_any_octets_are_read_or_refused(key: bytes, value: bytes) -> None:
    for read in (read_interface, read_next_hop):
        try:
            read("nh/1", value)
        except WireError:
            pass

    assert is_route_key(key) in (True, False)


@pytest.mark.parametrize(
    ("key", "good"),
    [
        (route("0.0.0.0/0"), True),
        (route("255.255.255.255/32"), True),
        (route("2001:db8::1/128"), True),
        (b"\4\x08" + b"\x0a\1" + bytes(14), False),
        (b"\4\x21" + bytes(16), False),
        (b"\5\x08" + bytes(16), False),
        (b"\4\x08" + bytes(15), False),
    ],
)
def test_the_key_of_a_route_is_checked(key: bytes, good: bool) -> None:
    assert good == is_route_key(key)


def test_links_and_counters_are_written() -> None:
    link = pfe_pb2.Link.FromString(write_link(Link(name="a", up=True, spec="s", error="e")))
    counters = Counters(input_packets=1, output_bytes=2, drops={"martian": 3})
    message = pfe_pb2.Counters.FromString(write_counters(counters))

    assert ("a", True, "s", "e") == (link.name, link.up, link.spec, link.error)
    assert (1, 2, {"martian": 3}) == (
        message.input_packets,
        message.output_bytes,
        dict(message.drops),
    )

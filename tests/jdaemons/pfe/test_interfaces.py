"""The engine's view of its ports and addresses."""

from __future__ import annotations

import os

from jdaemons.pfe.fakes import ADDRESSES, MAC, PORTS, address, ip
from jdaemons.pfe.interfaces import Interfaces, is_link_local, read_interfaces
from jdaemons.pfe.layout import Image, Sizes
from jdaemons.pfe.packets import link_local
from jdaemons.pfe.values import Address
from jdaemons.pfe.writer import ImageWriter


def view(addresses: list[Address] | None = None) -> Interfaces:
    fd = os.memfd_create("image")
    image = Image(fd, writable=True, sizes=Sizes(8, 4, 4, 4))
    os.close(fd)
    ImageWriter(image).set_ports(PORTS, ADDRESSES if addresses is None else addresses)
    return read_interfaces(image)


def test_ports_are_known_by_name_and_number() -> None:
    interfaces = view()
    left = interfaces.by_name["ge-0/0/0"]

    assert left is interfaces.by_index[0]
    assert (MAC[0], 1500, True) == (left.mac, left.mtu, left.up)
    assert int.from_bytes(MAC[0], "little") == left.mac_word


def test_own_addresses_are_all_that_are_configured_and_link_local_ones() -> None:
    expected = {each.local for each in ADDRESSES} | {link_local(MAC[0]), link_local(MAC[1])}

    assert expected == view().own
    assert (ip("10.255.255.1"),) == view().loopback


def test_an_interface_knows_its_own_and_its_neighbours() -> None:
    left = view().by_index[0]

    assert left.owns(ip("192.0.2.1"))
    assert left.owns(link_local(MAC[0]))
    assert not left.owns(ip("198.51.100.1"))
    assert left.on_link(ip("192.0.2.200"))
    assert left.on_link(ip("fe80::77"))
    assert not left.on_link(ip("198.51.100.2"))


def test_a_neighbour_is_spoken_to_from_its_own_subnet() -> None:
    two = [address(0, "192.0.2.1/24"), address(0, "203.0.113.1/24")]
    left, bare = view(two).by_index[0], view([]).by_index[0]

    assert ip("203.0.113.1") == left.source_for(ip("203.0.113.9"))
    assert ip("192.0.2.1") == left.source_for(ip("10.0.0.1"))
    assert link_local(MAC[0]) == left.source_for(ip("fe80::1"))
    assert bare.source_for(ip("10.0.0.1")) is None


def test_errors_come_from_the_ingress_port_then_the_loopback_then_any() -> None:
    interfaces = view([address(0, "fe80::5/64"), *ADDRESSES])
    left = interfaces.by_index[0]
    six = view([address(0, "fe80::5/64")]).by_index[0]

    assert ip("192.0.2.1") == interfaces.source(4, left)
    assert ip("2001:db8:1::1") == interfaces.source(6, left)
    assert ip("10.255.255.1") == interfaces.source(4, None)
    assert ip("2001:db8:1::1") == interfaces.source(6, None)
    assert link_local(MAC[0]) == view([address(0, "fe80::5/64")]).source(6, six)
    assert view([]).source(4, None) is None


def test_link_local_is_fe80_and_the_next_six_bits() -> None:
    assert is_link_local(ip("fe80::1"))
    assert is_link_local(ip("febf::1"))
    assert not is_link_local(ip("fec0::1"))
    assert not is_link_local(b"\xfe\x80\0\0")

"""Columns of where next hops lead."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.adjacency import FABRIC_PORT, Adjacencies, Kind
from jdaemons.pfe.fakes import ADDRESSES, HOST_MAC, MAC, PORTS, install, ip
from jdaemons.pfe.interfaces import read_interfaces
from jdaemons.pfe.layout import NEXT_HOPS_MAX, Image, NextHopType, Sizes
from jdaemons.pfe.segment import NEIGHBOURS_MAX
from jdaemons.pfe.values import NextHop, Port
from jdaemons.pfe.writer import ImageWriter

SMALL = Sizes(root_bits=8, groups4=512, groups6=512, routes=64)


class Setup:
    """An image with the usual network and the adjacencies made from it."""

    def __init__(self) -> None:
        fd = os.memfd_create("image")
        self.image = Image(fd, writable=True, sizes=SMALL)
        os.close(fd)
        self.writer = ImageWriter(self.image)
        install(self.writer)
        self.at = Adjacencies(0)
        self.refresh()

    def refresh(self, *, everything: bool = True) -> None:
        self.at.refresh(self.image, read_interfaces(self.image), everything=everything)

    def kind(self, number: int) -> Kind:
        return Kind(self.at.kind[self.at.slots[number]])

    def macs(self, index: int) -> bytes:
        octets: bytes = self.at.macs[index].tobytes()
        return octets


def test_each_type_of_next_hop_has_its_kind() -> None:
    setup = Setup()
    kinds = [setup.kind(number) for number in range(1, 8)]

    assert [
        Kind.RESOLVE,
        Kind.RESOLVE,
        Kind.PUNT,
        Kind.PUNT,
        Kind.PUNT,
        Kind.DISCARD,
        Kind.PUNT,
    ] == kinds


def test_a_gateway_that_is_known_makes_its_next_hops_fast() -> None:
    setup = Setup()
    setup.at.set_neighbour(1, ip("198.51.100.2"), HOST_MAC[1])
    slot = setup.at.slots[3]

    assert Kind.FAST == setup.kind(3)
    assert HOST_MAC[1] + MAC[1] == setup.macs(slot)
    assert (1, 1500) == (setup.at.port[slot], setup.at.mtu[slot])
    setup.at.remove_neighbour(1, ip("198.51.100.2"))
    assert Kind.PUNT == setup.kind(3)


def test_a_next_hop_that_comes_after_its_neighbour_is_fast_at_once() -> None:
    setup = Setup()
    setup.at.set_neighbour(1, ip("198.51.100.77"), HOST_MAC[1])
    hop = NextHop(id=50, type=NextHopType.UNICAST, port=1, gateway=ip("198.51.100.77"))
    setup.writer.set_next_hops([hop])
    setup.refresh(everything=False)

    assert Kind.FAST == setup.kind(50)


def test_a_next_hop_that_went_away_is_unknown() -> None:
    setup = Setup()
    slot = setup.at.slots[6]
    setup.writer.remove_next_hops([6])
    setup.refresh(everything=False)

    assert Kind.UNKNOWN == setup.at.kind[slot]
    assert 6 not in setup.at.slots


def test_a_next_hop_of_another_fpc_leads_to_the_fabric() -> None:
    setup = Setup()
    hop = NextHop(id=0x01020304, type=NextHopType.UNICAST, fpc=2, port=1, gateway=b"abcd")
    setup.writer.set_next_hops([hop])
    setup.refresh(everything=False)
    slot = setup.at.slots[0x01020304]

    assert FABRIC_PORT + 2 == setup.at.port[slot]
    assert bytes.fromhex("01020304 0000 000000000000") == setup.macs(slot)


def test_a_port_that_changes_takes_its_neighbours_along() -> None:
    setup = Setup()
    number = setup.at.set_neighbour(1, ip("198.51.100.2"), HOST_MAC[1])
    assert number is not None
    index = NEXT_HOPS_MAX + number
    mac = b"\2\2\2\2\2\2"
    setup.writer.set_ports({1: Port(name="ge-0/0/1", mac=mac, mtu=9014)}, ADDRESSES)
    setup.refresh()
    changed = setup.macs(index), int(setup.at.mtu[index])
    setup.writer.set_ports({0: PORTS[0]}, ADDRESSES)
    setup.refresh()

    assert (HOST_MAC[1] + mac, 9000) == changed
    assert Kind.PUNT == setup.at.kind[index] == setup.kind(3)


def halves(text: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    wide = int.from_bytes(ip(text))
    return np.array([wide >> 64], np.uint64), np.array([wide & (2**64 - 1)], np.uint64)


def test_attached_destinations_are_found_by_port_and_address() -> None:
    setup = Setup()
    texts = ["192.0.2.2", "192.0.2.3", "2001:db8:1::2", "2001:db8:1::3"]
    numbers = {text: setup.at.set_neighbour(0, ip(text), HOST_MAC[0]) for text in texts}
    slot = np.array([setup.at.slots[1]], np.intp)
    other = np.array([setup.at.slots[2]], np.intp)

    for text, number in numbers.items():
        assert number is not None
        assert [NEXT_HOPS_MAX + number] == setup.at.attached(slot, *halves(text)).tolist()
        assert other.tolist() == setup.at.attached(other, *halves(text)).tolist()
    assert slot.tolist() == setup.at.attached(slot, *halves("192.0.2.9")).tolist()


def test_the_table_of_neighbours_has_an_end_and_gives_places_back() -> None:
    setup = Setup()
    for number in range(NEIGHBOURS_MAX):
        setup.at.set_neighbour(0, number.to_bytes(4), HOST_MAC[0])
    full = setup.at.set_neighbour(0, b"last", HOST_MAC[0])
    freed = setup.at.remove_neighbour(0, (7).to_bytes(4))

    assert full is None
    assert freed == setup.at.set_neighbour(0, b"last", HOST_MAC[0])


def test_a_successor_gives_neighbours_the_numbers_they_had() -> None:
    setup = Setup()
    setup.at.restore_neighbour(9, 1, ip("198.51.100.2"), HOST_MAC[1])

    assert Kind.FAST == setup.at.kind[NEXT_HOPS_MAX + 9] == setup.kind(3)
    assert 0 == setup.at.set_neighbour(1, ip("198.51.100.3"), HOST_MAC[1])


def test_a_neighbour_that_is_gone_is_found_no_more() -> None:
    setup = Setup()
    slot = np.array([setup.at.slots[1]], np.intp)
    for text in ("192.0.2.2", "192.0.2.3"):
        setup.at.set_neighbour(0, ip(text), HOST_MAC[0])
    setup.at.attached(slot, *halves("192.0.2.2"))
    setup.at.remove_neighbour(0, ip("192.0.2.2"))

    assert slot.tolist() == setup.at.attached(slot, *halves("192.0.2.2")).tolist()
    assert slot.tolist() != setup.at.attached(slot, *halves("192.0.2.3")).tolist()

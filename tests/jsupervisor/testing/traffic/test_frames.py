"""Frames: what is built can be read again, and its checksums are right."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.testing.traffic import frames

OWN = frames.mac("02:00:00:00:00:01")
PEER = frames.mac("02:00:00:00:00:02")
HOSTS = {
    4: (frames.address("192.0.2.2"), frames.address("198.51.100.2")),
    6: (frames.address("2001:db8:1::2"), frames.address("2001:db8:2::2")),
}
U64 = st.integers(0, 2**64 - 1)


def packet(version: int, sequence: int, now: int) -> bytes:
    source, destination = HOSTS[version]
    template = frames.Template(7, OWN, PEER, source, destination, 64)
    buffer = bytearray(2048)
    template.write(buffer, 100, sequence, now)
    return bytes(buffer[100 : 100 + template.length])


@given(st.sampled_from((4, 6)), U64, U64)
def test_a_packet_of_a_flow_reads_as_it_was_written(version: int, sequence: int, now: int) -> None:
    assert frames.Datagram(7, sequence, now, 64) == frames.read(packet(version, sequence, now))


@given(st.sampled_from((4, 6)), U64, U64)
def test_the_udp_checksum_holds_for_every_sequence_number(
    version: int, sequence: int, now: int
) -> None:
    frame = packet(version, sequence, now)
    source, destination = HOSTS[version]
    udp = frame[14 + (20 if version == 4 else 40) :]
    pseudo = source + destination + struct.pack("!II", len(udp), 17)

    assert 0 == frames.folded(pseudo + udp) % 0xFFFF
    assert b"\0\0" != udp[6:8]


def test_the_ipv4_header_checksum_holds() -> None:
    assert 0 == frames.folded(packet(4, 1, 2)[14:34]) % 0xFFFF


def test_a_flow_keeps_to_one_address_family() -> None:
    with pytest.raises(ValueError, match="cannot send from one address family"):
        frames.Template(1, OWN, PEER, HOSTS[4][0], HOSTS[6][1], 64)


def test_an_arp_request_reads_as_it_was_written() -> None:
    request = frames.Arp(1, OWN, HOSTS[4][0], b"\0" * 6, frames.address("192.0.2.1"))
    frame = frames.arp(request, frames.BROADCAST)

    assert request == frames.read(frame)
    assert frames.BROADCAST == frame[:6]


def test_a_solicitation_goes_to_the_solicited_node_group() -> None:
    frame = frames.solicit(OWN, HOSTS[6][0], frames.address("2001:db8:1::1:203"))

    assert bytes.fromhex("3333ff010203") == frame[:6]
    assert frames.address("ff02::1:ff01:203") == frame[38:54]
    assert frames.Neighbour(
        False,
        HOSTS[6][0],
        frames.address("ff02::1:ff01:203"),
        frames.address("2001:db8:1::1:203"),
        OWN,
    ) == frames.read(frame)


def test_neighbour_discovery_checksums_hold() -> None:
    for frame in (
        frames.solicit(OWN, *HOSTS[6]),
        frames.advertise(OWN, PEER, *HOSTS[6]),
    ):
        pseudo = frame[22:54] + struct.pack("!II", len(frame) - 54, 58)

        assert 0 == frames.folded(pseudo + frame[54:]) % 0xFFFF


def test_an_advertisement_that_came_through_a_router_is_no_neighbour() -> None:
    frame = bytearray(frames.advertise(OWN, PEER, *HOSTS[6]))
    frame[21] = 254

    assert None is frames.read(bytes(frame))


@given(st.binary(max_size=200))
def test_nonsense_is_nothing_and_raises_nothing(data: bytes) -> None:
    assert not isinstance(frames.read(data), frames.Datagram)


@given(st.sampled_from((4, 6)), st.integers(0, 90))
def test_a_packet_cut_short_is_nothing(version: int, length: int) -> None:
    whole = packet(version, 1, 2)
    if length >= len(whole):
        return

    assert None is frames.read(whole[:length])


@pytest.mark.parametrize("text", ["", "192.0.2", "2001:::1", "ge-0/0/0"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot use"):
        frames.address(text)


def test_what_is_no_mac_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not a MAC address"):
        frames.mac("02:00:00")

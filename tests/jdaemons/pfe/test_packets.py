"""The octets of ARP, neighbour discovery, IP and ICMP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.pfe import packets as p
from jdaemons.pfe.checksum import checksum, transport_checksum
from jdaemons.pfe.fakes import ip

MAC, OTHER = bytes.fromhex("001122334455"), bytes.fromhex("0a0b0c0d0e0f")


def test_an_arp_packet_reads_as_it_was_built() -> None:
    arp = p.Arp(2, MAC, b"\1\2\3\4", OTHER, b"\5\6\7\x08")

    assert arp == p.parse_arp(p.build_arp(arp, OTHER)[14:])


@given(st.binary(max_size=40))
def test_any_octets_are_an_arp_packet_or_none(octets: bytes) -> None:
    arp = p.parse_arp(octets)

    assert arp is None or octets[:28] == p.build_arp(arp, OTHER)[14:]


@pytest.mark.parametrize(
    ("mac", "expected"),
    [("001122334455", "fe80::211:22ff:fe33:4455"), ("02aa00000000", "fe80::aa:ff:fe00:0")],
)
def test_the_link_local_address_is_made_from_the_mac(mac: str, expected: str) -> None:
    assert ip(expected) == p.link_local(bytes.fromhex(mac))


def test_a_solicitation_goes_to_the_solicited_node() -> None:
    source, target = ip("2001:db8::1"), ip("2001:db8::1:2345:6789")
    frame = p.solicit(MAC, source, target)

    assert bytes.fromhex("3333ff456789") == frame[:6]
    assert ip("ff02::1:ff45:6789") == frame[38:54]
    assert 255 == frame[21]
    assert p.Discovery(False, source, target, MAC) == p.parse_discovery(frame[14:])


def test_a_probe_goes_to_the_neighbour_itself() -> None:
    source, target = ip("2001:db8::1"), ip("2001:db8::2")
    frame = p.solicit(MAC, source, target, OTHER)

    assert OTHER == frame[:6]
    assert target == frame[38:54]


@given(st.binary(max_size=48), st.sampled_from((135, 136)), st.sampled_from((64, 255)))
def test_any_message_is_a_discovery_or_none(body: bytes, kind: int, hops: int) -> None:
    packet = p.icmp6(ip("fe80::1"), ip("fe80::2"), kind, 0, body, hops)
    message = p.parse_discovery(packet)

    assert message is None or (hops == 255 and message.target == packet[48:64])


def test_an_ipv4_packet_has_a_right_header() -> None:
    packet = p.ipv4(b"\x0a\0\0\1", b"\x0a\0\0\2", 17, b"abc", 9)

    assert "45000017000000000911" == packet[:10].hex()
    assert 0 == checksum(packet[:20])
    assert b"abc" == packet[20:]


def test_an_icmp_message_of_each_family_has_a_right_checksum() -> None:
    four = p.icmp4(b"\x0a\0\0\1", b"\x0a\0\0\2", 8, 0, b"\0\1\0\1x")
    six = p.icmp6(ip("::1"), ip("::2"), 128, 0, b"\0\1\0\1x")

    assert 0 == checksum(four[20:])
    assert 0 == transport_checksum(six[8:24], six[24:40], 58, six[40:])


def test_one_hop_less_keeps_the_header_right() -> None:
    packet = p.ipv4(b"\x0a\0\0\1", b"\x0a\0\0\2", 17, b"abc", 9)

    assert p.ipv4(b"\x0a\0\0\1", b"\x0a\0\0\2", 17, b"abc", 8) == p.decrement_ttl(packet)


@given(st.integers(0, 3000), st.integers(68, 1500))
def test_fragments_add_up_and_fit(size: int, mtu: int) -> None:
    payload = bytes(index & 255 for index in range(size))
    pieces = p.fragments(p.ipv4(b"\x0a\0\0\1", b"\x0a\0\0\2", 17, payload), mtu)
    offsets = [int.from_bytes(piece[6:8]) & 0x1FFF for piece in pieces]

    assert payload == b"".join(piece[20:] for piece in pieces)
    assert all(len(piece) <= mtu and checksum(piece[:20]) == 0 for piece in pieces)
    assert [sum(len(q) - 20 for q in pieces[:n]) // 8 for n in range(len(pieces))] == offsets
    more = [bool(piece[6] & 0x20) for piece in pieces]
    assert [True] * (len(pieces) - 1) + [False] * bool(pieces) == more


def test_a_fragment_of_a_fragment_stays_in_the_middle() -> None:
    packet = bytearray(p.ipv4(b"\x0a\0\0\1", b"\x0a\0\0\2", 17, bytes(64)))
    packet[6:8] = (0x2000 | 100).to_bytes(2)
    pieces = p.fragments(bytes(packet), 68)

    assert [0x2000 | 100, 0x2000 | 106] == [int.from_bytes(piece[6:8]) for piece in pieces]


def test_options_are_copied_only_when_they_say_so() -> None:
    options = bytes.fromhex("9404 0000 0703 04 01".replace(" ", ""))
    header = bytes((0x47,)) + bytes(19) + options
    first, second = p.fragments(header + bytes(24), 28 + 16)

    assert 0x47 == first[0]
    assert 0x46 == second[0]
    assert bytes.fromhex("94040000") == second[20:24]

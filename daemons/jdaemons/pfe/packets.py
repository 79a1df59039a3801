"""The octets of what the engine itself reads and says: ARP, neighbour discovery, ICMP. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from jdaemons.pfe.checksum import checksum, transport_checksum

ETH_IPV4: Final = 0x0800
ETH_ARP: Final = 0x0806
ETH_IPV6: Final = 0x86DD
ETH_HEADER: Final = 14
BROADCAST: Final = b"\xff" * 6
ICMP: Final = 1
UDP: Final = 17
ICMPV6: Final = 58
UNSPECIFIED6: Final = bytes(16)
ALL_NODES: Final = bytes.fromhex("ff020000000000000000000000000001")
_SOLICITED_NODE: Final = bytes.fromhex("ff0200000000000000000001ff")
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_ARP_START: Final = (1, ETH_IPV4, 6, 4)

SOLICIT: Final = 135
ADVERTISE: Final = 136
_SOLICITED: Final = 0x40
_OVERRIDE: Final = 0x20
_SOURCE_OPTION: Final = 1
_TARGET_OPTION: Final = 2


def ethernet(destination: bytes, source: bytes, ethertype: int, payload: bytes) -> bytes:
    """A frame, without padding."""
    return destination + source + ethertype.to_bytes(2) + payload


def link_local(mac: bytes) -> bytes:
    """The link-local address of an interface (RFC 4291 appendix A, modified EUI-64)."""
    head = bytes((mac[0] ^ 0x02, mac[1], mac[2], 0xFF, 0xFE, mac[3], mac[4], mac[5]))
    return b"\xfe\x80" + bytes(6) + head


def solicited_node(address: bytes) -> bytes:
    """The multicast address a host is asked under (RFC 4291 section 2.7.1)."""
    return _SOLICITED_NODE + address[13:]


def multicast_mac(group: bytes) -> bytes:
    """Where frames to an IPv6 group go (RFC 2464 section 7)."""
    return b"\x33\x33" + group[12:]


# -- ARP (RFC 826) -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP packet for IPv4 over Ethernet; operation 1 asks, 2 answers."""

    operation: int
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes


def parse_arp(payload: bytes) -> Arp | None:
    """The packet after an Ethernet header; None when it is not one."""
    if len(payload) < _ARP.size:
        return None
    *start, operation, sender_mac, sender, target_mac, target = _ARP.unpack_from(payload)
    if tuple(start) != _ARP_START or operation not in (1, 2) or sender_mac[0] & 1:
        return None
    return Arp(operation, sender_mac, sender, target_mac, target)


def build_arp(arp: Arp, destination: bytes) -> bytes:
    """The frame."""
    body = _ARP.pack(
        *_ARP_START, arp.operation, arp.sender_mac, arp.sender, arp.target_mac, arp.target
    )
    return ethernet(destination, arp.sender_mac, ETH_ARP, body)


# -- neighbour discovery (RFC 4861) --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Discovery:
    """A solicitation or an advertisement."""

    advertisement: bool
    source: bytes
    target: bytes
    mac: bytes | None
    """The link-layer address option, if there is one."""
    solicited: bool = False
    override: bool = False


def parse_discovery(packet: bytes) -> Discovery | None:
    """The message in an IPv6 packet whose ICMPv6 checksum is right; None when it is to be
    discarded (RFC 4861 sections 7.1.1 and 7.1.2)."""
    if len(packet) < 64 or packet[7] != 255 or packet[41] != 0:
        return None
    kind, flags = packet[40], packet[44]
    source, target = packet[8:24], packet[48:64]
    if kind not in (SOLICIT, ADVERTISE) or target[0] == 0xFF:
        return None
    advertisement = kind == ADVERTISE
    try:
        mac = _option(packet[64:], _TARGET_OPTION if advertisement else _SOURCE_OPTION)
    except _MalformedError:
        return None
    solicited = advertisement and bool(flags & _SOLICITED)
    if solicited and packet[24] == 0xFF:
        return None
    seeking = not advertisement and source == UNSPECIFIED6
    if seeking and (mac is not None or packet[24:37] != _SOLICITED_NODE):
        return None
    return Discovery(advertisement, source, target, mac, solicited, bool(flags & _OVERRIDE))


class _MalformedError(Exception):
    """The options of a message are not options; it is discarded."""


def _option(options: bytes, wanted: int) -> bytes | None:
    """The MAC in the option; None when there is no such option. Raises _MalformedError."""
    found: bytes | None = None
    while options:
        if len(options) < 8 or options[1] == 0 or options[1] * 8 > len(options):
            raise _MalformedError
        if options[0] == wanted and options[1] == 1:
            found = options[2:8]
            if found[0] & 1:
                raise _MalformedError
        options = options[options[1] * 8 :]
    return found


def solicit(mac: bytes, source: bytes, target: bytes, to: bytes | None = None) -> bytes:
    """A frame that asks who has `target`; of everybody, or of the known MAC `to`."""
    group = solicited_node(target)
    body = struct.pack("!I16sBB6s", 0, target, _SOURCE_OPTION, 1, mac)
    packet = icmp6(source, target if to else group, SOLICIT, 0, body, hop_limit=255)
    return ethernet(to or multicast_mac(group), mac, ETH_IPV6, packet)


def advertise(mac: bytes, target: bytes, to_mac: bytes, to: bytes) -> bytes:
    """The frame that answers a solicitation; `to` is unspecified when it looked for duplicates."""
    answered = to != UNSPECIFIED6
    flags = 0x80 | _OVERRIDE | (_SOLICITED if answered else 0)
    destination = to if answered else ALL_NODES
    body = struct.pack("!B3x16sBB6s", flags, target, _TARGET_OPTION, 1, mac)
    packet = icmp6(target, destination, ADVERTISE, 0, body, hop_limit=255)
    return ethernet(to_mac if answered else multicast_mac(ALL_NODES), mac, ETH_IPV6, packet)


# -- IP and ICMP -----------------------------------------------------------------------------------


def ipv4(source: bytes, destination: bytes, protocol: int, payload: bytes, ttl: int = 64) -> bytes:
    """An IPv4 packet without options, DF clear."""
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(payload), 0, 0, ttl, protocol)
    addresses = source + destination
    header = start + checksum(start + addresses).to_bytes(2) + addresses
    return header + payload


def icmp4(source: bytes, destination: bytes, kind: int, code: int, body: bytes) -> bytes:
    """An IPv4 packet with an ICMP message; `body` is all that follows its checksum (RFC 792)."""
    start = bytes((kind, code))
    message = start + checksum(start + b"\0\0" + body).to_bytes(2) + body
    return ipv4(source, destination, ICMP, message)


def ipv6(source: bytes, destination: bytes, header: int, payload: bytes, hops: int = 64) -> bytes:
    """An IPv6 packet."""
    return struct.pack("!IHBB", 0x60000000, len(payload), header, hops) + (
        source + destination + payload
    )


def icmp6(
    source: bytes, destination: bytes, kind: int, code: int, body: bytes, hop_limit: int = 64
) -> bytes:
    """An IPv6 packet with an ICMPv6 message; `body` follows its checksum (RFC 4443)."""
    start = bytes((kind, code))
    found = transport_checksum(source, destination, ICMPV6, start + b"\0\0" + body)
    return ipv6(source, destination, ICMPV6, start + found.to_bytes(2) + body, hop_limit)


def decrement_ttl(packet: bytes) -> bytes:
    """An IPv4 packet with one hop less and its header's checksum to match."""
    header = bytearray(packet[: (packet[0] & 15) * 4])
    header[8] -= 1
    header[10:12] = b"\0\0"
    header[10:12] = checksum(bytes(header)).to_bytes(2)
    return bytes(header) + packet[len(header) :]


def fragments(packet: bytes, mtu: int) -> list[bytes]:
    """An IPv4 packet in pieces of at most `mtu` octets (RFC 791 section 3.2).

    Options are repeated in every fragment only when they have the copied flag.
    """
    length = (packet[0] & 15) * 4
    first, rest = packet[:length], _copied_header(packet[:length])
    start = int.from_bytes(packet[6:8])
    offset, more = start & 0x1FFF, start & 0x2000
    payload = packet[length:]
    pieces = []
    header = first
    while payload:
        room = (mtu - len(header)) // 8 * 8
        piece, payload = payload[:room], payload[room:]
        field = offset | (0x2000 if payload else more)
        pieces.append(_with_lengths(header, len(piece), field) + piece)
        offset += room // 8
        header = rest
    return pieces


def _copied_header(header: bytes) -> bytes:
    options, kept = header[20:], b""
    while options and options[0] != 0:
        size = 1 if options[0] == 1 else options[1] if len(options) > 1 else 0
        if size < 1 or size > len(options):
            break
        if options[0] & 0x80:
            kept += options[:size]
        options = options[size:]
    kept += bytes(-len(kept) % 4)
    return bytes((0x40 | (20 + len(kept)) // 4,)) + header[1:20] + kept


def _with_lengths(header: bytes, payload: int, field: int) -> bytes:
    fixed = bytearray(header)
    fixed[2:4] = (len(header) + payload).to_bytes(2)
    fixed[6:8] = field.to_bytes(2)
    fixed[10:12] = b"\0\0"
    fixed[10:12] = checksum(bytes(fixed)).to_bytes(2)
    return bytes(fixed)

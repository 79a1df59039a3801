"""Frames of a test host: Ethernet, ARP, IPv4, IPv6, neighbour discovery and UDP, built and read.

Only what a host at a router's port needs. Standard library alone, since a host process must start
at once. The UDP payload is ours: magic, flow, sequence number, time of sending.
"""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from typing import Final

BROADCAST: Final = b"\xff" * 6
ETHERTYPE_IPV4: Final = 0x0800
ETHERTYPE_ARP: Final = 0x0806
ETHERTYPE_IPV6: Final = 0x86DD
PROTOCOL_UDP: Final = 17
PROTOCOL_ICMPV6: Final = 58
ND_SOLICIT: Final = 135
ND_ADVERT: Final = 136
UDP_PORT: Final = 7
MAGIC: Final = b"jsup"
PAYLOAD: Final = struct.Struct("!4sIQQ")
"""Magic, flow, sequence number, time of sending (CLOCK_MONOTONIC, ns)."""

_MAC: Final = re.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")
_ETHERNET: Final = struct.Struct("!6s6sH")
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")
_UDP: Final = struct.Struct("!HHHH")


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP request (operation 1) or reply (2), RFC 826."""

    operation: int
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A neighbour solicitation or advertisement, RFC 4861 section 4.3 and 4.4."""

    advert: bool
    source: bytes
    destination: bytes
    target: bytes
    link_address: bytes | None


@dataclass(frozen=True, slots=True)
class Datagram:
    """One packet of a flow."""

    flow: int
    sequence: int
    sent_ns: int
    hops: int
    """TTL or hop limit on arrival."""


Frame = Arp | Neighbour | Datagram


def address(text: str) -> bytes:
    """4 or 16 bytes of an address; raises ValueError."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        return socket.inet_pton(family, text)
    except OSError as error:
        raise ValueError(f"cannot use {text!r}: not an IPv4 or IPv6 address") from error


def mac(text: str) -> bytes:
    """Six bytes of "02:00:00:00:00:01"; raises ValueError."""
    if not _MAC.fullmatch(text):
        raise ValueError(f"cannot use {text!r}: not a MAC address")
    return bytes.fromhex(text.replace(":", ""))


def checksum(data: bytes, start: int = 0) -> int:
    """The Internet checksum (RFC 1071) of `data`, with `start` already summed.

    Never 0 but 0xFFFF, as UDP demands; to whoever verifies, the two are the same.
    """
    return 0xFFFF - folded(data, start) % 0xFFFF


def folded(data: bytes, start: int = 0) -> int:
    """The sum of the 16-bit words of `data`, not folded yet. Odd data is padded."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return start + total


def arp(frame: Arp, destination: bytes) -> bytes:
    """The Ethernet frame of an ARP packet."""
    return _ETHERNET.pack(destination, frame.sender_mac, ETHERTYPE_ARP) + _ARP.pack(
        1,
        ETHERTYPE_IPV4,
        6,
        4,
        frame.operation,
        frame.sender_mac,
        frame.sender,
        frame.target_mac,
        frame.target,
    )


def solicited_node(target: bytes) -> bytes:
    """The multicast address that the owner of `target` listens to, RFC 4291 section 2.7.1."""
    return bytes.fromhex("ff0200000000000000000001ff") + target[-3:]


def multicast_mac(group: bytes) -> bytes:
    """The MAC address of an IPv6 multicast group, RFC 2464 section 7."""
    return b"\x33\x33" + group[-4:]


def solicit(own_mac: bytes, own: bytes, target: bytes) -> bytes:
    """A neighbour solicitation for `target`, to its solicited-node group."""
    group = solicited_node(target)
    body = b"\0" * 4 + target + b"\x01\x01" + own_mac
    return _icmpv6(own_mac, multicast_mac(group), own, group, ND_SOLICIT, body)


def advertise(own_mac: bytes, to_mac: bytes, own: bytes, to: bytes) -> bytes:
    """A solicited, overriding neighbour advertisement of `own`."""
    body = struct.pack("!I", 0x60000000) + own + b"\x02\x01" + own_mac
    return _icmpv6(own_mac, to_mac, own, to, ND_ADVERT, body)


def _icmpv6(
    own_mac: bytes, to_mac: bytes, source: bytes, destination: bytes, kind: int, body: bytes
) -> bytes:
    message = bytes((kind, 0, 0, 0)) + body
    pseudo = source + destination + struct.pack("!II", len(message), PROTOCOL_ICMPV6)
    total = checksum(message, folded(pseudo))
    message = message[:2] + struct.pack("!H", total) + message[4:]
    header = _IPV6.pack(6 << 28, len(message), PROTOCOL_ICMPV6, 255, source, destination)
    return _ETHERNET.pack(to_mac, own_mac, ETHERTYPE_IPV6) + header + message


class Template:
    """A flow's frame, of which only sequence number, time and UDP checksum change.

    65535 divides 2**16 - 1, so the sum of a number's 16-bit words is that number modulo 65535: the
    checksum of a packet is one addition and one modulo, not a pass over its bytes.
    """

    def __init__(
        self, flow: int, own_mac: bytes, to_mac: bytes, source: bytes, destination: bytes, hops: int
    ) -> None:
        """`source` and `destination` have 4 or 16 bytes; raises ValueError when they differ."""
        if len(source) != len(destination):
            raise ValueError("cannot send from one address family to another")
        payload = PAYLOAD.pack(MAGIC, flow, 0, 0)
        length = _UDP.size + len(payload)
        # Each flow has its own source port, so that equal-cost paths may tell flows apart.
        udp = _UDP.pack(49152 + flow % 16384, UDP_PORT, length, 0)
        if len(source) == 4:
            header = _IPV4.pack(
                0x45, 0, 20 + length, 0, 0x4000, hops, PROTOCOL_UDP, 0, source, destination
            )
            header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
            ethertype = ETHERTYPE_IPV4
        else:
            header = _IPV6.pack(6 << 28, length, PROTOCOL_UDP, hops, source, destination)
            ethertype = ETHERTYPE_IPV6
        pseudo = source + destination + struct.pack("!II", length, PROTOCOL_UDP)
        self.data: Final = _ETHERNET.pack(to_mac, own_mac, ethertype) + header + udp + payload
        self._sum = folded(udp + payload, folded(pseudo))
        self._checksum_at: Final = len(self.data) - len(payload) - 2
        self._sequence_at: Final = len(self.data) - 16
        self.length: Final = len(self.data)

    def write(self, buffer: bytearray, offset: int, sequence: int, now: int) -> None:
        """Put packet `sequence`, sent at `now` ns, into `buffer` at `offset`."""
        buffer[offset : offset + self.length] = self.data
        struct.pack_into("!QQ", buffer, offset + self._sequence_at, sequence, now)
        total = 0xFFFF - (self._sum + sequence + now) % 0xFFFF
        struct.pack_into("!H", buffer, offset + self._checksum_at, total)


def read(frame: bytes | memoryview) -> Frame | None:
    """What a frame is to a test host; None for everything else, malformed frames included."""
    if len(frame) < 42:
        return None
    ethertype = frame[12] << 8 | frame[13]
    if ethertype == ETHERTYPE_IPV4:
        return _read_ipv4(frame)
    if ethertype == ETHERTYPE_IPV6:
        return _read_ipv6(frame)
    if ethertype == ETHERTYPE_ARP:
        return _read_arp(frame)
    return None


def _read_ipv4(frame: bytes | memoryview) -> Datagram | None:
    if frame[14] != 0x45 or frame[23] != PROTOCOL_UDP:
        return None
    return _read_payload(frame, 42, frame[22])


def _read_ipv6(frame: bytes | memoryview) -> Datagram | Neighbour | None:
    if len(frame) < 54 or frame[14] >> 4 != 6:
        return None
    if frame[20] == PROTOCOL_UDP:
        return _read_payload(frame, 62, frame[21])
    if frame[20] == PROTOCOL_ICMPV6:
        return _read_neighbour(bytes(frame))
    return None


def _read_payload(frame: bytes | memoryview, offset: int, hops: int) -> Datagram | None:
    if len(frame) < offset + PAYLOAD.size:
        return None
    magic, flow, sequence, sent_ns = PAYLOAD.unpack_from(frame, offset)
    return Datagram(flow, sequence, sent_ns, hops) if magic == MAGIC else None


def _read_neighbour(frame: bytes) -> Neighbour | None:
    # RFC 4861 section 7.1: anything that came through a router is not neighbour discovery.
    if len(frame) < 78 or frame[21] != 255 or frame[54] not in (ND_SOLICIT, ND_ADVERT):
        return None
    advert = frame[54] == ND_ADVERT
    wanted = 2 if advert else 1
    option = frame[78:86]
    link = option[2:8] if len(option) == 8 and option[0] == wanted and option[1] == 1 else None
    return Neighbour(advert, frame[22:38], frame[38:54], frame[62:78], link)


def _read_arp(frame: bytes | memoryview) -> Arp | None:
    fields = _ARP.unpack_from(frame, 14)
    if fields[:4] != (1, ETHERTYPE_IPV4, 6, 4):
        return None
    return Arp(*fields[4:])

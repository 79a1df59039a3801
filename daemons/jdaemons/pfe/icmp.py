"""ICMP errors of both families: which message says what, who may be told, and the octets. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jdaemons.pfe import packets as p

ECHO4: Final = 8
ECHO_REPLY4: Final = 0
ECHO6: Final = 128
ECHO_REPLY6: Final = 129

_QUOTED4: Final = 576 - 20 - 8
"""An error fits into 576 octets (RFC 1812 section 4.3.2.3)."""
_QUOTED6: Final = 1280 - 40 - 8
"""And into the minimum MTU of IPv6 (RFC 4443 section 2.4 (c))."""
_ERRORS4: Final = frozenset((3, 4, 5, 11, 12))
_EXTENSIONS6: Final = frozenset((0, 43, 60))


@dataclass(frozen=True, slots=True)
class Error:
    """Type and code in each family, and the word after the checksum."""

    type4: int
    code4: int
    type6: int
    code6: int
    word: int = 0


NO_ROUTE: Final = Error(3, 0, 1, 0)
HOST_UNREACHABLE: Final = Error(3, 1, 1, 3)
PORT_UNREACHABLE: Final = Error(3, 3, 1, 4)
REJECTED: Final = Error(3, 13, 1, 1)
BEYOND_SCOPE: Final = Error(3, 13, 1, 2)
TIME_EXCEEDED: Final = Error(11, 0, 3, 0)


def too_big(mtu: int) -> Error:
    """Fragmentation needed (RFC 1191), or packet too big (RFC 4443 section 3.2)."""
    return Error(3, 4, 2, 0, mtu)


def may_answer(packet: bytes, error: Error) -> bool:
    """May the sender of a packet be told of an error (RFC 1812 section 4.3.2.7, RFC 4443 2.4 (e))?"""
    return _may_answer4(packet) if packet[0] >> 4 == 4 else _may_answer6(packet, error)


def _may_answer4(packet: bytes) -> bool:
    source, destination = packet[12:16], packet[16:20]
    if source[0] in (0, 127) or source[0] >= 224 or destination[0] >= 224:
        return False
    if int.from_bytes(packet[6:8]) & 0x1FFF:
        return False
    header = (packet[0] & 15) * 4
    kind = packet[header : header + 1]
    return packet[9] != p.ICMP or (bool(kind) and kind[0] not in _ERRORS4)


def _may_answer6(packet: bytes, error: Error) -> bool:
    source, destination = packet[8:24], packet[24:40]
    if source[0] == 0xFF or not any(source):
        return False
    if destination[0] == 0xFF and error.type6 != 2:
        return False
    return not _is_error6(packet)


def _is_error6(packet: bytes) -> bool:
    """Is it an ICMPv6 error or redirect, behind whatever extension headers?"""
    header, at = packet[6], 40
    while header in _EXTENSIONS6 and at + 2 <= len(packet):
        header, at = packet[at], at + (packet[at + 1] + 1) * 8
    if header == 44 and at + 4 <= len(packet):
        if int.from_bytes(packet[at + 2 : at + 4]) >> 3:
            return True
        header, at = packet[at], at + 8
    if header != p.ICMPV6:
        return False
    return at >= len(packet) or packet[at] < 128 or packet[at] == 137


def build(packet: bytes, error: Error, source: bytes) -> bytes:
    """The IP packet that tells the sender of `packet`, quoting as much of it as may be."""
    word = error.word.to_bytes(4)
    if packet[0] >> 4 == 4:
        quoted = packet[:_QUOTED4]
        return p.icmp4(source, packet[12:16], error.type4, error.code4, word + quoted)
    quoted = packet[:_QUOTED6]
    return p.icmp6(source, packet[8:24], error.type6, error.code6, word + quoted)

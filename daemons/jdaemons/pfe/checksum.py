"""The Internet checksum (RFC 1071), for one packet and for columns of packets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def checksum(data: bytes, initial: int = 0) -> int:
    """The checksum of `data`, which an odd octet extends by zero; `initial` is a partial sum."""
    total = initial + partial(data)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def partial(data: bytes) -> int:
    """The sum of the 16-bit words of `data`, not folded yet."""
    if len(data) % 2:
        data += b"\0"
    return sum(memoryview(data).cast("H")) if _BIG else _swapped_sum(data)


def transport_checksum(source: bytes, destination: bytes, protocol: int, payload: bytes) -> int:
    """The checksum of an upper layer with its pseudo header (RFC 8200 section 8.1; IPv4 likewise)."""
    pseudo = source + destination + len(payload).to_bytes(4) + protocol.to_bytes(4)
    return checksum(payload, partial(pseudo))


def headers_valid(words: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Which rows sum up to a valid header. One's complement sums do not mind the byte order."""
    total: NDArray[np.uint32] = words.sum(axis=1, dtype=np.uint32)
    total = (total & 0xFFFF) + (total >> 16)
    valid: NDArray[np.bool_] = (total & 0xFFFF) + (total >> 16) == 0xFFFF
    return valid


def after_ttl_decrement(checks: NDArray[np.uint16]) -> NDArray[Any]:
    """Header checksums once the TTL is one less (RFC 1624 section 3), in network order in memory.

    The TTL is the first octet of its word: in little-endian columns the word decreases by one.
    """
    changed = checks.astype(np.uint32) + _TTL_STEP
    changed += changed >= 0xFFFF
    return changed.astype(np.uint16)


_BIG = np.little_endian is False
_TTL_STEP = 0x0100 if _BIG else 1


def _swapped_sum(data: bytes) -> int:
    total = sum(memoryview(data).cast("H"))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFF) << 8 | total >> 8

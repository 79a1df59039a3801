"""The Internet checksum against RFC 1071's own arithmetic."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.pfe.checksum import (
    after_ttl_decrement,
    checksum,
    headers_valid,
    transport_checksum,
)


def reference(data: bytes) -> int:
    """RFC 1071 section 4.1, word for word."""
    total = 0
    for index in range(0, len(data) - 1, 2):
        total += data[index] << 8 | data[index + 1]
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@given(st.binary(max_size=100))
def test_the_checksum_is_that_of_the_rfc(data: bytes) -> None:
    assert reference(data) == checksum(data)


def test_the_example_of_the_rfc() -> None:
    data = bytes.fromhex("0001f203f4f5f6f7")

    assert 0xFFFF - 0xDDF2 == checksum(data)


def test_the_pseudo_header_counts() -> None:
    source, destination, payload = bytes(16), b"\x01" * 16, b"abc"
    pseudo = source + destination + (3).to_bytes(4) + (58).to_bytes(4)

    assert reference(pseudo + payload) == transport_checksum(source, destination, 58, payload)


@given(st.lists(st.binary(min_size=20, max_size=20), min_size=1, max_size=20))
def test_columns_are_judged_as_single_headers_are(headers: list[bytes]) -> None:
    fixed = []
    for index, header in enumerate(headers):
        bare = header[:10] + b"\0\0" + header[12:]
        right = bare[:10] + checksum(bare).to_bytes(2) + bare[12:]
        fixed.append(right if index % 2 else header)
    words = np.frombuffer(b"".join(fixed), np.uint16).reshape(-1, 10)

    assert [checksum(each) == 0 for each in fixed] == headers_valid(words).tolist()


@given(st.binary(min_size=20, max_size=20), st.integers(1, 255))
def test_the_incremental_checksum_is_the_one_computed_anew(header: bytes, ttl: int) -> None:
    def with_ttl(hops: int) -> bytes:
        bare = b"\x45" + header[1:8] + bytes((hops,)) + header[9:10] + b"\0\0" + header[12:]
        return bare[:10] + checksum(bare).to_bytes(2) + bare[12:]

    before, after = with_ttl(ttl), with_ttl(ttl - 1)
    changed = after_ttl_decrement(np.frombuffer(before, np.uint16)[5:6])

    assert after[10:12] == changed.tobytes()

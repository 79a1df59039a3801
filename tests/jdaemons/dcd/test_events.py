"""Values that go in and out of dcd's core."""

from __future__ import annotations

import pytest

from jdaemons.dcd.events import Address


@pytest.mark.parametrize(
    ("octets", "length", "text"),
    [
        ("c0000201", 24, "192.0.2.1/24"),
        ("20010db8000000000000000000000001", 64, "2001:db8::1/64"),
    ],
)
def test_an_address_reads_as_operators_write_it(octets: str, length: int, text: str) -> None:
    assert text == str(Address(bytes.fromhex(octets), length))

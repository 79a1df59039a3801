"""Who may be told of what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.pfe import icmp
from jdaemons.pfe import packets as p
from jdaemons.pfe.fakes import ip

A4, B4, A6, B6 = b"\x0a\0\0\1", b"\x0a\0\0\2", ip("2001:db8::1"), ip("2001:db8::2")


@pytest.mark.parametrize("size", [0, 100, 2000])
def test_an_error_quotes_as_much_as_may_be(size: int) -> None:
    four, six = p.ipv4(A4, B4, 17, bytes(size)), p.ipv6(A6, B6, 17, bytes(size))
    told4 = icmp.build(four, icmp.TIME_EXCEEDED, B4)
    told6 = icmp.build(six, icmp.TIME_EXCEEDED, B6)

    assert min(576, 28 + len(four)) == len(told4)
    assert min(1280, 48 + len(six)) == len(told6)
    assert four.startswith(told4[28:])
    assert six.startswith(told6[48:])
    assert B4 + A4 == told4[12:20]
    assert B6 + A6 == told6[8:40]


def test_only_too_big_answers_a_multicast() -> None:
    packet = p.ipv6(A6, p.ALL_NODES, 17, bytes(8))

    assert icmp.may_answer(packet, icmp.too_big(1280))
    assert not icmp.may_answer(packet, icmp.TIME_EXCEEDED)


def test_informational_messages_may_be_answered() -> None:
    assert icmp.may_answer(p.icmp4(A4, B4, 8, 0, bytes(4)), icmp.NO_ROUTE)
    assert icmp.may_answer(p.icmp6(A6, B6, 128, 0, bytes(4)), icmp.NO_ROUTE)


@given(st.binary(max_size=80), st.integers(0, 255))
def test_no_extension_header_leads_astray(payload: bytes, header: int) -> None:
    assert icmp.may_answer(p.ipv6(A6, B6, header, payload), icmp.NO_ROUTE) in (True, False)

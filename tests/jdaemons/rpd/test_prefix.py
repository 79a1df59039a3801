"""Prefixes as numbers, texts and records."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.rpd.prefix import (
    KEY_SIZE,
    WIDTHS,
    Prefix,
    address_text,
    around,
    host,
    is_link_local,
    parse_prefix,
)

prefixes = st.sampled_from((4, 6)).flatmap(
    lambda family: st.builds(
        around,
        st.just(family),
        st.integers(0, (1 << WIDTHS[family]) - 1),
        st.integers(0, WIDTHS[family]),
    )
)


@given(prefixes)
def test_a_prefix_is_what_the_standard_library_makes_of_its_text(prefix: Prefix) -> None:
    network = ip_network(str(prefix))

    assert prefix == parse_prefix(str(prefix))
    assert (prefix.value, prefix.last) == (
        int(network.network_address),
        int(network.broadcast_address),
    )


@given(prefixes, prefixes)
def test_two_prefixes_have_one_key_exactly_when_they_are_the_same(
    one: Prefix, other: Prefix
) -> None:
    assert (one == other) == (one.key == other.key)
    assert KEY_SIZE == len(one.key)


def test_the_key_is_laid_out_as_the_proto_says() -> None:
    four, six = parse_prefix("192.0.2.0/24").key, parse_prefix("2001:db8::/32").key

    assert bytes((4, 24, 192, 0, 2, 0)) + bytes(12) == four
    assert bytes((6, 32, 0x20, 0x01, 0x0D, 0xB8)) + bytes(12) == six


@pytest.mark.parametrize("text", ["", "192.0.2.1/24", "192.0.2.0/33", "2001:db8::1/64", "x/8"])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_prefix(text)


def test_an_address_alone_has_the_longest_prefix() -> None:
    assert ("192.0.2.1/32", "::1/128") == (str(host(4, 0xC0000201)), str(host(6, 1)))
    assert "192.0.2.1" == address_text(4, 0xC0000201)


@pytest.mark.parametrize(
    ("text", "local"),
    [("fe80::/10", True), ("febf::/16", True), ("fec0::/10", False), ("169.254.0.0/16", False)],
)
def test_link_local_addresses_are_known(text: str, local: bool) -> None:
    prefix = parse_prefix(text)

    assert local == is_link_local(prefix.family, prefix.value)

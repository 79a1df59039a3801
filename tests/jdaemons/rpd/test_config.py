"""Items of the feed `config`: read whole or refused whole."""

from __future__ import annotations

import pytest

from jdaemons.rpd.config import ConfigError, read_key, read_static
from jdaemons.rpd.events import Action, StaticRoute
from jdaemons.rpd.prefix import parse_prefix

KEY = "routing-options/static/inet/10.0.0.0/8"
PREFIX = parse_prefix("10.0.0.0/8")


@pytest.mark.parametrize(
    ("value", "route"),
    [
        (b'{"next-hop": ["192.0.2.2"]}', StaticRoute(prefix=PREFIX, gateways=(0xC0000202,))),
        (
            b'{"next-hop": ["192.0.2.2", "192.0.2.3"], "preference": 7, "resolve": true}',
            StaticRoute(prefix=PREFIX, gateways=(0xC0000202, 0xC0000203), preference=7),
        ),
        (b'{"discard": true}', StaticRoute(prefix=PREFIX, action=Action.DISCARD)),
        (b'{"reject": true, "discard": false}', StaticRoute(prefix=PREFIX, action=Action.REJECT)),
    ],
)
def test_a_static_route_is_read(value: bytes, route: StaticRoute) -> None:
    assert route == read_static(KEY, value)


def test_a_static_route_of_ipv6_is_read() -> None:
    assert StaticRoute(prefix=parse_prefix("2001:db8::/32"), gateways=(1,)) == read_static(
        "routing-options/static/inet6/2001:db8::/32", b'{"next-hop": ["::1"]}'
    )


def test_other_routing_options_are_passed_over() -> None:
    assert read_static("routing-options/router-id", b"?") is None
    assert read_key("routing-options/router-id") is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"{}",
        b'{"next-hop": []}',
        b'{"next-hop": "192.0.2.2"}',
        b'{"next-hop": [7]}',
        b'{"next-hop": ["2001:db8::1"]}',
        b'{"next-hop": ["192.0.2.2"], "discard": true}',
        b'{"reject": true, "discard": true}',
        b'{"discard": true, "preference": -1}',
        b'{"discard": true, "preference": true}',
        b'{"discard": true, "preference": 4294967296}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_used_is_named(value: bytes) -> None:
    with pytest.raises(ConfigError, match=f"^cannot use {KEY}: "):
        read_static(KEY, value)


@pytest.mark.parametrize("prefix", ["10.0.0.1/8", "2001:db8::/32", "x"])
def test_a_key_that_is_no_prefix_of_its_family_is_named(prefix: str) -> None:
    with pytest.raises(ConfigError, match=r"^cannot use routing-options/static/inet/"):
        read_key(f"routing-options/static/inet/{prefix}")

"""Items of the feed `config`: read whole or refused whole."""

from __future__ import annotations

import json

import pytest

from jdaemons.dcd.config import ConfigError, read_interface
from jdaemons.dcd.events import Address, InterfaceConfig, Unit

KEY = "interfaces/ge-0/0/0"


def test_an_interface_with_everything() -> None:
    value = {
        "description": "to r2",
        "disable": True,
        "mtu": 9192,
        "unit": {
            "10": {"disable": True, "family": {"inet6": {}}},
            "0": {
                "family": {
                    "inet": {"address": ["192.0.2.1/24"]},
                    "inet6": {"address": ["2001:db8::1/64"]},
                }
            },
        },
    }
    six = bytes.fromhex("20010db8000000000000000000000001")

    assert InterfaceConfig(
        name="ge-0/0/0",
        description="to r2",
        disabled=True,
        mtu=9192,
        units=(
            Unit(
                number=0,
                inet=(Address(bytes((192, 0, 2, 1)), 24),),
                inet6=(Address(six, 64),),
            ),
            Unit(number=10, disabled=True, inet6=()),
        ),
    ) == read_interface(KEY, json.dumps(value).encode())


def test_an_interface_with_nothing() -> None:
    assert InterfaceConfig(name="ge-0/0/0") == read_interface(KEY, b"{}")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"unit": []}',
        b'{"unit": {"x": {}}}',
        b'{"unit": {"32768": {}}}',
        b'{"unit": {"0": 1}}',
        b'{"disable": 1}',
        b'{"mtu": true}',
        b'{"mtu": 65536}',
        b'{"description": 7}',
        b'{"unit": {"0": {"family": {"inet": {"address": "192.0.2.1/24"}}}}}',
        b'{"unit": {"0": {"family": {"inet": {"address": ["192.0.2.256/24"]}}}}}',
        b'{"unit": {"0": {"family": {"inet": {"address": ["2001:db8::1/64"]}}}}}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_used_is_named(value: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^cannot "):
        read_interface(KEY, value)


def test_an_interface_that_cannot_exist_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^cannot use interface foo"):
        read_interface("interfaces/foo", b"{}")

"""Reads one item of the feed `config`: a physical interface with its units, families and addresses.

mgd has validated the text that it comes from. What cannot be used all the same comes from an mgd of
another version: it is refused whole, and the interface stays as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_interface
from typing import Final

from jdaemons.dcd.events import Address, InterfaceConfig, Unit
from jdaemons.dcd.names import InterfaceNameError, place_of
from jsupervisor.initproto import Json

PREFIX: Final = "interfaces/"
"""Keys of the items begin with it; the rest is the name."""

_VERSIONS: Final = (("inet", 4), ("inet6", 6))


class ConfigError(ValueError):
    """An item cannot be used; the text, beginning with "cannot", names it."""


class _UnfitError(ValueError):
    """A value inside an item is not what it should be."""


def read_interface(key: str, value: bytes) -> InterfaceConfig:
    """The interface in one item; raises ConfigError."""
    name = key.removeprefix(PREFIX)
    try:
        place = place_of(name)
        found = _object(json.loads(value), "the interface")
        units = _object(found.get("unit", {}), "unit")
        config = InterfaceConfig(
            name=name,
            description=_text(found.get("description", "")),
            disabled=_flag(found.get("disable", False)),
            mtu=_mtu(found.get("mtu")),
            units=tuple(_unit(number, units[number]) for number in sorted(units, key=_number)),
        )
        for unit in config.units:
            place.index(unit.number)
    except InterfaceNameError as error:
        raise ConfigError(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"cannot use the configuration of {key}: {error}") from error
    return config


def _unit(number: str, value: Json) -> Unit:
    found = _object(value, f"unit {number}")
    families = _object(found.get("family", {}), "family")
    inet, inet6 = (_addresses(families, name, version) for name, version in _VERSIONS)
    return Unit(
        number=_number(number),
        disabled=_flag(found.get("disable", False)),
        inet=inet,
        inet6=inet6,
    )


def _addresses(families: Mapping[str, Json], name: str, version: int) -> tuple[Address, ...] | None:
    if name not in families:
        return None
    texts = _object(families[name], name).get("address", [])
    if not isinstance(texts, list):
        raise _UnfitError(f"the addresses of {name} are not a list")
    return tuple(_address(_text(text), version) for text in texts)


def _address(text: str, version: int) -> Address:
    interface = ip_interface(text)
    if interface.version != version:
        raise _UnfitError(f"{text} is not an address of IPv{version}")
    return Address(interface.ip.packed, interface.network.prefixlen)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _UnfitError(f"{text!r} is not a unit number")
    return int(text)


def _object(value: Json, what: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise _UnfitError(f"{what} is not an object")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise _UnfitError(f"{value!r} is not a text")
    return value


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise _UnfitError(f"{value!r} is neither true nor false")
    return value


def _mtu(value: Json) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 16:
        raise _UnfitError(f"{value!r} is not an MTU")
    return value

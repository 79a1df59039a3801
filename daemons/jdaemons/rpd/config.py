"""Reads one item of the feed `config`: a static route.

mgd has validated the text that it comes from. What cannot be used all the same comes from an mgd of
another version: it is refused whole, and the route stays as it was.

Junos resolves a static next hop through other routes only where `resolve` is configured. Here every one
is, as on most other routers, so the statement says nothing new and is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final

from jdaemons.rpd.events import STATIC_PREFERENCE, Action, StaticRoute
from jdaemons.rpd.prefix import Prefix, parse_prefix
from jsupervisor.initproto import Json

FEED_PREFIX: Final = "routing-options/"
"""Of all keys that rpd wants to hear of."""

_STATICS: Final = MappingProxyType(
    {"routing-options/static/inet/": 4, "routing-options/static/inet6/": 6}
)


class ConfigError(ValueError):
    """An item cannot be used; the text, beginning with "cannot", names it."""


def read_key(key: str) -> Prefix | None:
    """The destination of the static route with that key; None for another item. Raises ConfigError."""
    for start, family in _STATICS.items():
        if not key.startswith(start):
            continue
        try:
            prefix = parse_prefix(key.removeprefix(start))
        except ValueError as error:
            raise ConfigError(f"cannot use {key}: {error}") from error
        if prefix.family != family:
            raise ConfigError(f"cannot use {key}: it is not IPv{family}")
        return prefix
    return None


def read_static(key: str, value: bytes) -> StaticRoute | None:
    """The static route in one item; None for an item that is none. Raises ConfigError."""
    prefix = read_key(key)
    if prefix is None:
        return None
    try:
        found = json.loads(value)
        if not isinstance(found, Mapping):
            raise _UnfitError("it is not an object")
        return _route(prefix, found)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"cannot use {key}: {error}") from error


class _UnfitError(ValueError):
    """A value inside an item is not what it should be."""


def _route(prefix: Prefix, found: Mapping[str, Json]) -> StaticRoute:
    gateways = _gateways(prefix.family, found.get("next-hop", []))
    actions = [action for action in Action if found.get(action.value, False) is not False]
    if bool(gateways) + len(actions) != 1:
        raise _UnfitError("it must have one of next-hop, discard and reject")
    return StaticRoute(
        prefix=prefix,
        gateways=gateways,
        action=actions[0] if actions else None,
        preference=_preference(found.get("preference", STATIC_PREFERENCE)),
    )


def _gateways(family: int, value: Json) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise _UnfitError("its next hops are not a list")
    addresses = [ip_address(text if isinstance(text, str) else "") for text in value]
    for address in addresses:
        if address.version != family:
            raise _UnfitError(f"next hop {address} is not IPv{family}")
    return tuple(int(address) for address in addresses)


def _preference(value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
        raise _UnfitError(f"{value!r} is not a preference")
    return value

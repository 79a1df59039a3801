"""Operational data of rpd: `route-information` and `protocols-started-time`, as Junos shapes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_address, ip_interface
from types import MappingProxyType
from typing import Final

from jdaemons.rpd.core import Core
from jdaemons.rpd.nexthops import Forwarding, NextHopType
from jdaemons.rpd.prefix import Prefix, around
from jdaemons.rpd.table import TABLE_NAMES, Candidate, Destination, Protocol, Table
from jsupervisor.initproto import Json

MOST_SHOWN: Final = 10_000
"""Destinations in one answer: more would hold up the loop, and not fit into one message."""

_PROTOCOLS: Final = MappingProxyType(
    {Protocol.DIRECT: "Direct", Protocol.LOCAL: "Local", Protocol.STATIC: "Static"}
)
_TYPES: Final = MappingProxyType(
    {
        NextHopType.LOCAL: "Local",
        NextHopType.DISCARD: "Discard",
        NextHopType.REJECT: "Reject",
    }
)


class DestinationError(ValueError):
    """Routes cannot be shown; the text, beginning with "cannot", says why and what to ask for."""


def route_information(core: Core, destination: str, now: float) -> Json:
    """Both tables, or what of one concerns `destination`; raises DestinationError.

    An address gets its longest match. A prefix gets itself and all that lies in it, or, where there is
    no such destination, the longest one that it lies in. `now` is monotonic, in seconds.
    """
    if destination:
        prefix = _asked(destination)
        table = core.tables[prefix.family]
        chosen = [(table, _matching(table, prefix, is_address="/" not in destination))]
    else:
        chosen = [(table, list(_visible(table))) for table in core.tables.values()]
    if sum(len(destinations) for _, destinations in chosen) > MOST_SHOWN:
        raise DestinationError(
            f"cannot show more than {MOST_SHOWN} destinations at once: ask for a prefix"
        )
    tables = [
        _table(core, table, destinations, now) for table, destinations in chosen if destinations
    ]
    return {"route-information": {"route-table": tables}}


def protocols_started_time(started: datetime, now: datetime) -> Json:
    """When routing began, both in UTC. Moves with a restart of rpd, and with nothing else."""
    return {
        "protocols-started-time": {
            "date-time": started.strftime("%Y-%m-%d %H:%M:%S UTC"),
            "time-length": age((now - started).total_seconds(), clock_seconds=False),
        }
    }


def age(seconds: float, *, clock_seconds: bool = True) -> str:
    """A duration as Junos prints it: 00:01:05, 1d 02:03:04, 3w5d 18:30:36.

    Times of the system leave out the seconds from one day on.
    """
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    weeks, day = divmod(days, 7)
    clock = f"{hour:02}:{minute:02}"
    if clock_seconds or not days:
        clock = f"{clock}:{second:02}"
    if weeks:
        return f"{weeks}w{day}d {clock}"
    return f"{days}d {clock}" if days else clock


def _asked(text: str) -> Prefix:
    try:
        interface = ip_interface(text)
    except ValueError as error:
        raise DestinationError(f"cannot show routes to {text!r}: {error}") from error
    return around(interface.version, int(interface.ip), interface.network.prefixlen)


def _matching(table: Table, prefix: Prefix, *, is_address: bool) -> list[Destination]:
    inside = [] if is_address else [one for one in table.within(prefix) if one.active]
    if inside:
        return inside
    for destination in table.covers(prefix.value):
        if destination.prefix.length <= prefix.length and destination.active:
            return [destination]
    return []


def _visible(table: Table) -> Iterator[Destination]:
    """Destinations with an active route: all others have hidden ones alone."""
    return (one for one in table.destinations.values() if one.active is not None)


def _table(
    core: Core, table: Table, destinations: Iterable[Destination], now: float
) -> Mapping[str, Json]:
    total = active = hidden = 0
    for destination in table.destinations.values():
        total += len(destination.candidates)
        active += destination.active is not None
        hidden += len(destination.candidates) - sum(1 for _ in _usable(table, destination))
    ordered = sorted(destinations, key=lambda one: one.prefix)
    return {
        "table-name": TABLE_NAMES[table.family],
        "destination-count": str(len(table.destinations)),
        "total-route-count": str(total),
        "active-route-count": str(active),
        "holddown-route-count": "0",
        "hidden-route-count": str(hidden),
        "rt": [_destination(table, destination, now) for destination in ordered],
    }


def _usable(table: Table, destination: Destination) -> Iterator[tuple[Candidate, Forwarding]]:
    """Candidates that are not hidden, the active one first, and what each would do."""
    if destination.active is None or destination.forwarding is None:
        return
    yield destination.active, destination.forwarding
    if len(destination.candidates) == 1:
        return
    for candidate in destination.candidates:
        if candidate.order <= destination.active.order:
            continue
        ways = [table.gateways[gateway].forwarding for gateway in candidate.gateways]
        for forwarding in (candidate.base, *ways):
            if forwarding is not None:
                yield candidate, forwarding
                break


def _destination(table: Table, destination: Destination, now: float) -> Mapping[str, Json]:
    entries: list[Json] = []
    for candidate, forwarding in _usable(table, destination):
        is_active = candidate is destination.active
        since = max(candidate.since, destination.changed) if is_active else candidate.since
        entry: dict[str, Json] = {"active-tag": "*", "current-active": ""} if is_active else {}
        entry["protocol-name"] = _PROTOCOLS[candidate.source.protocol]
        entry["preference"] = str(candidate.preference)
        entry["age"] = age(now - since)
        entry["age-seconds"] = str(int(now - since))
        entries.append(entry | _next_hop(candidate, forwarding))
    return {"rt-destination": str(destination.prefix), "rt-entry": entries}


def _next_hop(candidate: Candidate, forwarding: Forwarding) -> dict[str, Json]:
    if candidate.source.protocol is Protocol.LOCAL:
        return {"nh-type": "Local", "nh": [{"nh-local-interface": forwarding.interface}]}
    if forwarding.type in (NextHopType.DISCARD, NextHopType.REJECT):
        return {"nh-type": _TYPES[forwarding.type]}
    hop: dict[str, Json] = {"selected-next-hop": ""}
    if forwarding.type is NextHopType.UNICAST:
        hop["to"] = str(ip_address(forwarding.gateway))
    hop["via"] = forwarding.interface
    return {"nh": [hop]}

"""Forwarding tables, and whether exactly the intended part of one changed. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from jsupervisor.initproto import Json

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to one destination. Indexes and counts are left out: they may change freely."""

    table: str
    destination: str
    next_hop_type: str
    to: str
    via: str


def parse(answer: Json) -> frozenset[Entry]:
    """The entries in `forwarding-table-information`; what has another shape is skipped."""
    entries: set[Entry] = set()
    for table in _list(_get(_get(answer, "forwarding-table-information"), "route-table")):
        for route in _list(_get(table, "rt-entry")):
            for next_hop in _list(_get(route, "nh")):
                entries.add(
                    Entry(
                        table=str(_get(table, "table-name") or ""),
                        destination=str(_get(route, "rt-destination") or ""),
                        next_hop_type=str(_get(next_hop, "nh-type") or ""),
                        to=str(_get(next_hop, "to") or ""),
                        via=str(_get(next_hop, "via") or ""),
                    )
                )
    return frozenset(entries)


def _get(value: Json, key: str) -> Json:
    return value.get(key) if isinstance(value, Mapping) else None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def network(destination: str) -> Network:
    """The network of a destination as Junos prints it ("default" and host routes included)."""
    if destination == "default":
        return ipaddress.IPv4Network("0.0.0.0/0")
    return ipaddress.ip_network(destination, strict=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two forwarding tables compared."""

    added: frozenset[Entry]
    removed: frozenset[Entry]

    @property
    def destinations(self) -> list[str]:
        """Everything that came, went or is reached otherwise."""
        return sorted({entry.destination for entry in self.added | self.removed})

    def outside(self, prefix: Network) -> list[str]:
        """The destinations that changed and do not lie in `prefix`."""
        return [each for each in self.destinations if not _inside(network(each), prefix)]


def _inside(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def compare(before: frozenset[Entry], after: frozenset[Entry]) -> Difference:
    """What came and what went."""
    return Difference(after - before, before - after)


def problems(difference: Difference, prefix: str, present: bool) -> list[str]:
    """What is wrong with a change that should have made `prefix` present or absent; no more.

    A difference on the other side (removed when it should have been added) is wrong too.
    """
    wanted = network(prefix)
    found = [f"{each} changed too" for each in difference.outside(wanted)]
    came, went = difference.added, difference.removed
    if not (came if present else went):
        found.append(f"{prefix} did not {'come' if present else 'go'}")
    if went if present else came:
        found.append(f"{prefix} {'lost' if present else 'gained'} an entry")
    return found

"""Operational data of a packet engine, in the element names of Junos' XML where Junos has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import MappingProxyType
from typing import Final

from jdaemons.pfe.core import Core
from jdaemons.pfe.layout import NextHopType
from jdaemons.pfe.values import NextHop
from jdaemons.pfe.wire import Counters, Link
from jsupervisor.initproto import Json

MOST_SHOWN: Final = 10_000
"""Routes in one answer: more would hold up the loop."""

_TYPES: Final = MappingProxyType(
    {
        NextHopType.UNICAST: "ucst",
        NextHopType.RESOLVE: "rslv",
        NextHopType.LOCAL: "locl",
        NextHopType.DISCARD: "dscd",
        NextHopType.REJECT: "rjct",
    }
)
_FAMILIES: Final = ((4, "default.inet", "Internet"), (6, "default.inet6", "Internet6"))
Network = IPv4Network | IPv6Network


class DestinationError(ValueError):
    """Routes cannot be shown; the text, beginning with "cannot", says why and what to ask for."""


def network_of(key: bytes) -> Network:
    """The prefix in a route's key."""
    octets = key[2:6] if key[0] == 4 else key[2:]
    return ip_network((octets, key[1]))


def forwarding_table(core: Core, destination: str = "") -> Json:
    """`forwarding-table-information`: what is installed, or what of it lies in a prefix.

    Raises DestinationError for a text that is no prefix and for too many routes.
    """
    keys = _chosen(core.routes, destination)
    if len(keys) > MOST_SHOWN:
        raise DestinationError(
            f"cannot show {len(keys)} routes at once, {MOST_SHOWN} at most: ask for a prefix"
        )
    uses = Counter(core.routes.values())
    tables: list[Json] = []
    for family, name, title in _FAMILIES:
        routes = sorted(
            (key for key in keys if key[0] == family), key=lambda key: (key[2:], key[1])
        )
        if routes:
            entries = [_entry(core, key, uses) for key in routes]
            tables.append({"table-name": name, "address-family": title, "rt-entry": entries})
    return {"forwarding-table-information": {"route-table": tables}}


def _chosen(routes: Iterable[bytes], destination: str) -> Sequence[bytes]:
    if not destination:
        return list(routes)
    try:
        wanted = ip_network(destination, strict=False)
    except ValueError as error:
        raise DestinationError(f"cannot show routes to {destination!r}: not a prefix") from error
    return [key for key in routes if key[0] == wanted.version and _inside(key, wanted)]


def _inside(key: bytes, wanted: Network) -> bool:
    """Does the route lie in the prefix? An address is asked for by what it matches."""
    network = network_of(key)
    if wanted.prefixlen == wanted.max_prefixlen:
        return wanted.network_address in network
    return network.prefixlen >= wanted.prefixlen and network.network_address in wanted


def _entry(core: Core, key: bytes, uses: Mapping[int, int]) -> Json:
    next_hop = core.next_hops.get(core.routes[key])
    network = network_of(key)
    entry: dict[str, Json] = {
        "rt-destination": "default" if key[1] == 0 else str(network),
        "destination-type": _origin(next_hop),
        "route-reference-count": "0",
    }
    if next_hop is not None:
        entry["nh"] = [_next_hop(next_hop, network, uses[next_hop.id])]
    return entry


def _origin(next_hop: NextHop | None) -> str:
    """Routes to what is attached come with the interface, the others from the user: rpd."""
    attached = next_hop is not None and next_hop.type in (NextHopType.RESOLVE, NextHopType.LOCAL)
    return "intf" if attached else "user"


def _next_hop(next_hop: NextHop, network: Network, uses: int) -> Json:
    found: dict[str, Json] = {}
    if next_hop.gateway:
        found["to"] = str(ip_address(next_hop.gateway))
    elif next_hop.type == NextHopType.LOCAL:
        found["to"] = str(network.network_address)
    found["nh-type"] = _TYPES.get(NextHopType(next_hop.type), "")
    found["nh-index"] = str(next_hop.id)
    found["nh-reference-count"] = str(uses)
    if next_hop.interface and next_hop.type != NextHopType.LOCAL:
        found["via"] = next_hop.interface
    return found


def pfe_statistics(engine: Counters) -> Json:
    """`pfe-statistics`: the sums over all ports, and why packets went no further."""
    return {
        "pfe-statistics": {
            "pfe-traffic-statistics": {
                "pfe-input-packets": str(engine.input_packets),
                "pfe-output-packets": str(engine.output_packets),
            },
            "pfe-drop-statistics": {"drop": _drops(engine)},
        }
    }


def port_statistics(links: Iterable[tuple[Link, Counters]]) -> Json:
    """`port-statistics`: every port, its link and its counters."""
    ports: list[Json] = [
        {
            "port-name": link.name,
            "link-status": "Up" if link.up else "Down",
            "port-specification": link.spec,
            "port-error": link.error,
            "input-packets": str(counters.input_packets),
            "input-bytes": str(counters.input_bytes),
            "output-packets": str(counters.output_packets),
            "output-bytes": str(counters.output_bytes),
            "drop": _drops(counters),
        }
        for link, counters in links
    ]
    return {"port-statistics": {"port": ports}}


def _drops(counters: Counters) -> list[Json]:
    return [
        {"drop-reason": reason, "drop-packets": str(count)}
        for reason, count in sorted(counters.drops.items())
    ]

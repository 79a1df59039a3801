"""Rules between statements, which no schema of single values can say. Pure: a text in, problems out.

What is inactive breaks no rule: it has no effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address, ip_interface

from jdaemons.mgd.syntax import MAX_PROBLEMS, Place, Problem
from jdaemons.mgd.tree import Path, Reading, Tree, active, branch, read


def check(text: str) -> Reading:
    """The reading of a text with all its problems, in the order in which they stand in it."""
    reading = read(text)
    real = replace(reading, tree=active(reading.tree, reading.inactive))
    problems = [*reading.problems, *_addresses(real), *_loopback(real), *_routes(real)]
    reading.problems = sorted(problems, key=_order)[:MAX_PROBLEMS]
    return reading


def _order(problem: Problem) -> tuple[int, int]:
    place = problem.place or Place(0, 0)
    return place.line, place.column


def _addresses(reading: Reading) -> Iterator[Problem]:
    """An address belongs to one interface, and no two interfaces share a subnet.

    Link-local ones (RFC 4291, section 2.5.6) mean something on their own link only.
    """
    owners: dict[str, str] = {}
    for interface, unit, family, addresses, path in _families(reading.tree):
        for text in addresses:
            if family == "inet6" and ip_interface(text).is_link_local:
                continue
            owner = f"{interface}.{unit}"
            address = str(ip_interface(text).ip)
            place = reading.places.get((*path, "address", text))
            if address in owners:
                yield Problem(place, f"address {address} is {owners[address]}'s already")
                continue
            owners[address] = owner
            network = str(ip_interface(text).network)
            if owners.setdefault(network, owner) != owner:
                yield Problem(place, f"{family} subnet {network} is {owners[network]}'s already")


def _loopback(reading: Reading) -> Iterator[Problem]:
    for interface, _unit, _family, addresses, path in _families(reading.tree):
        for text in addresses if interface == "lo0" else ():
            network = ip_interface(text).network
            if network.prefixlen != network.max_prefixlen:
                place = reading.places.get((*path, "address", text))
                yield Problem(place, f"'{text}': lo0 takes /{network.max_prefixlen} only")


def _routes(reading: Reading) -> Iterator[Problem]:
    for version, path in (
        (4, ("routing-options", "static", "route")),
        (6, ("routing-options", "rib", "inet6.0", "static", "route")),
    ):
        routes = branch(reading.tree, *path)
        for prefix in routes:
            route = branch(routes, prefix)
            yield from _route(reading, (*path, prefix), prefix, route, version)


def _route(
    reading: Reading, path: Path, prefix: str, route: Tree, version: int
) -> Iterator[Problem]:
    place = reading.places.get(path)
    kinds = [name for name in ("next-hop", "discard", "reject") if name in route]
    if not kinds:
        yield Problem(place, f"route {prefix} needs next-hop, discard or reject")
    if len(kinds) > 1:
        yield Problem(place, f"route {prefix} has both {kinds[0]} and {kinds[1]}")
    gateways = route.get("next-hop")
    for gateway in gateways if isinstance(gateways, list) else ():
        if ip_address(gateway).version != version:
            where = reading.places.get((*path, "next-hop", gateway))
            yield Problem(where, f"next-hop {gateway} of route {prefix} is not IPv{version}")


def _families(tree: Tree) -> Iterator[tuple[str, str, str, list[str], Path]]:
    """Each configured family: interface, unit, family, addresses, path."""
    for interface in branch(tree, "interfaces"):
        for unit in branch(tree, "interfaces", interface, "unit"):
            base = ("interfaces", interface, "unit", unit, "family")
            for family in branch(tree, *base):
                addresses = branch(tree, *base, family).get("address")
                if isinstance(addresses, list):
                    yield interface, unit, family, addresses, (*base, family)

"""Recursive next hops: through which routes is a gateway reached?

A gateway is reached through the longest active destination that it lies in. Whether a destination is
active may depend on other gateways in turn, and loops are possible. The law:

1. A destination is never used to reach its own next hop.
2. To begin with every candidate counts as usable. A candidate's gateway that lies in no active
   destination is struck out. Where the best gateways left lead in a circle, those that form the circle are
   struck out, all together. This is repeated until nothing is left to strike out.
3. A destination whose candidates are all struck out is not active: its routes are hidden.

The order of striking out makes no difference. A circle stays one whatever else is struck out, since each
member's choice is the best it has and no better one can appear; and two circles never share a
member. The outcome therefore follows from the table alone, not from its history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jdaemons.rpd.nexthops import Forwarding, NextHopType
from jdaemons.rpd.prefix import WIDTHS, Prefix
from jdaemons.rpd.table import Candidate, Destination, Outcome, Table, options


class Resolution:
    """One run over the gateways of a table and the destinations that they lie in."""

    def __init__(self, table: Table) -> None:
        self._family = table.family
        self._ways = {gateway: _ways(table, gateway) for gateway in table.gateways}
        self._struck: set[tuple[Prefix, int]] = set()
        self.outcomes: dict[Prefix, Outcome | None] = {}
        """For each destination that a gateway lies in; None for one that is not active."""
        for ways in self._ways.values():
            for destination in ways:
                if destination.prefix not in self.outcomes:
                    self._decide(destination)

    def gateway(self, address: int) -> Forwarding | None:
        """What a route through a gateway does, for all destinations that the gateway does not lie in."""
        ways = self._ways[address]
        return _first(self._family, address, ways, lambda way: self.outcomes[way.prefix])

    def _decide(self, destination: Destination) -> None:
        """Follow the best choices until one needs no other; all on the way are decided then.

        A loop, not a recursion: a chain may be longer than the interpreter's stack.
        """
        path = [destination]
        places = {destination.prefix: 0}
        chosen: dict[Prefix, int] = {}
        while path:
            current = path[-1]
            candidate, gateway, way = self._choice(current)
            if way is not None and way.prefix not in self.outcomes:
                chosen[current.prefix] = gateway
                if way.prefix not in places:
                    places[way.prefix] = len(path)
                    path.append(way)
                    continue
                start = places[way.prefix]
                self._struck.update((one.prefix, chosen[one.prefix]) for one in path[start:])
                for one in path[start + 1 :]:
                    del places[one.prefix]
                del path[start + 1 :]
                continue
            self.outcomes[current.prefix] = self._outcome(candidate, gateway, way)
            path.pop()
            del places[current.prefix]

    def _choice(self, destination: Destination) -> tuple[Candidate | None, int, Destination | None]:
        """The best candidate left, the gateway it uses, and the destination that this is reached
        through; the last two mean nothing for a candidate that needs none."""
        for candidate, gateway in options(destination.candidates):
            if gateway is None:
                return candidate, 0, None
            if (destination.prefix, gateway) in self._struck:
                continue
            for way in self._ways[gateway]:
                if way is not destination and self.outcomes.get(way.prefix, way) is not None:
                    return candidate, gateway, way
        return None, 0, None

    def _outcome(
        self, candidate: Candidate | None, gateway: int, way: Destination | None
    ) -> Outcome | None:
        if candidate is None:
            return None
        if way is None:
            assert candidate.base is not None
            return candidate, candidate.base
        found = self.outcomes[way.prefix]
        assert found is not None
        return candidate, _through(self._family, gateway, found[1])


def reach(
    table: Table, gateway: int, outcome: Callable[[Destination], Outcome | None]
) -> Forwarding | None:
    """What a route through a gateway does, when the outcomes of what it lies in are known."""
    return _first(table.family, gateway, _ways(table, gateway), outcome)


def _ways(table: Table, gateway: int) -> Sequence[Destination]:
    """The destinations that a gateway can be reached through; none when it is the router itself."""
    ways = list(table.ways_to(gateway))
    return [] if ways and ways[0].is_own_address else ways


def _first(
    family: int,
    gateway: int,
    ways: Sequence[Destination],
    outcome: Callable[[Destination], Outcome | None],
) -> Forwarding | None:
    for way in ways:
        found = outcome(way)
        if found is not None:
            return _through(family, gateway, found[1])
    return None


def _through(family: int, gateway: int, found: Forwarding) -> Forwarding:
    """A route through a gateway does as the route to the gateway does; on an attached network the
    gateway itself is the neighbour."""
    if found.type is not NextHopType.RESOLVE:
        return found
    octets = gateway.to_bytes(WIDTHS[family] // 8)
    return found._replace(type=NextHopType.UNICAST, gateway=octets)

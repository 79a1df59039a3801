"""One routing table, inet.0 or inet6.0: every destination with its candidates, and the gateways used.

It knows what there is, not what is active: that is decided in `resolve` and `core`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from jdaemons.rpd.nexthops import Forwarding, NextHopType
from jdaemons.rpd.prefix import WIDTHS, Prefix, is_link_local

TABLE_NAMES: Final = MappingProxyType({4: "inet.0", 6: "inet6.0"})


class Protocol(IntEnum):
    """Where a route comes from; of two with equal preference the lower number wins."""

    DIRECT = 0
    LOCAL = 1
    STATIC = 2


class Source(NamedTuple):
    """Who contributed a candidate: a destination has one of each source at most."""

    protocol: Protocol
    interface: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to a destination; either `base` or `gateways` is set."""

    source: Source
    preference: int = 0
    rank: int = 0
    """Breaks ties within a protocol: the interface's index."""
    base: Forwarding | None = None
    """What to do, where that does not depend on other routes."""
    gateways: tuple[int, ...] = ()
    """Addresses that other routes have to lead to; the first that can be reached is used."""
    since: float = 0.0

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Of the usable candidates the lowest is active."""
        return self.preference, self.source.protocol, self.rank, self.source.interface


@dataclass(slots=True)
class Destination:
    """One prefix of the table, its candidates from best to worst, and what was decided about it."""

    prefix: Prefix
    candidates: list[Candidate] = field(default_factory=list)
    active: Candidate | None = None
    forwarding: Forwarding | None = None
    changed: float = 0.0
    """When `active` or `forwarding` became what they are."""

    @property
    def is_own_address(self) -> bool:
        """Is this one of the router's own addresses?"""
        base = self.candidates[0].base if self.candidates else None
        return base is not None and base.type is NextHopType.LOCAL


@dataclass(slots=True)
class Gateway:
    """An address that static routes lead to."""

    users: dict[Prefix, None] = field(default_factory=dict)
    """Destinations with a candidate through it."""
    forwarding: Forwarding | None = None
    """What a route through it does with packets; None while it cannot be reached."""


class Table:
    """The routing table of one family."""

    def __init__(self, family: int) -> None:
        self.family = family
        self.destinations: dict[Prefix, Destination] = {}
        self.gateways: dict[int, Gateway] = {}
        self._by_length: dict[int, dict[int, Destination]] = {}
        self._lengths: tuple[int, ...] = ()
        self._new: dict[int, None] = {}
        self._idle: set[int] = set()
        self._sorted: list[int] = []
        self._unsorted = False

    # -- candidates --------------------------------------------------------------------------

    def put(self, prefix: Prefix, candidate: Candidate) -> None:
        """Have a candidate, in place of the one of the same source."""
        destination = self.destinations.get(prefix)
        if destination is None:
            destination = self.destinations[prefix] = Destination(prefix)
            self._index(prefix.length)[prefix.value] = destination
        for gateway in candidate.gateways:
            self._use(gateway, prefix)
        self._drop(destination, candidate.source, keep=candidate.gateways)
        destination.candidates.append(candidate)
        if len(destination.candidates) > 1:
            destination.candidates.sort(key=lambda one: one.order)

    def remove(self, prefix: Prefix, source: Source) -> None:
        """Have no candidate of a source; nothing happens when there is none."""
        destination = self.destinations.get(prefix)
        if destination is not None:
            self._drop(destination, source, keep=())

    def forget(self, prefix: Prefix) -> None:
        """Forget a destination that has no candidates."""
        del self.destinations[prefix]
        of_length = self._by_length[prefix.length]
        del of_length[prefix.value]
        if not of_length:
            del self._by_length[prefix.length]
            self._lengths = tuple(sorted(self._by_length, reverse=True))

    def new_gateways(self) -> list[tuple[int, Gateway]]:
        """Gateways that came into use since they were last asked for."""
        new = [(address, self.gateways[address]) for address in self._new]
        self._new.clear()
        return new

    def forget_idle_gateways(self) -> None:
        """Forget gateways that no candidate leads to any more."""
        for address in self._idle:
            if not self.gateways[address].users:
                del self.gateways[address]
                self._new.pop(address, None)
                self._unsorted = True
        self._idle.clear()

    def _index(self, length: int) -> dict[int, Destination]:
        if length not in self._by_length:
            self._by_length[length] = {}
            self._lengths = tuple(sorted(self._by_length, reverse=True))
        return self._by_length[length]

    def _use(self, address: int, prefix: Prefix) -> None:
        gateway = self.gateways.get(address)
        if gateway is None:
            gateway = self.gateways[address] = Gateway()
            self._new[address] = None
            self._unsorted = True
        gateway.users[prefix] = None

    def _drop(self, destination: Destination, source: Source, keep: tuple[int, ...]) -> None:
        for number, candidate in enumerate(destination.candidates):
            if candidate.source == source:
                del destination.candidates[number]
                for address in candidate.gateways:
                    if address not in keep:
                        self.gateways[address].users.pop(destination.prefix, None)
                        self._idle.add(address)
                return

    # -- look-ups ----------------------------------------------------------------------------

    def covers(self, address: int) -> Iterator[Destination]:
        """The destinations that an address lies in, the longest first."""
        width = WIDTHS[self.family]
        for length in self._lengths:
            shift = width - length
            destination = self._by_length[length].get(address >> shift << shift)
            if destination is not None:
                yield destination

    def ways_to(self, gateway: int) -> Iterator[Destination]:
        """The destinations that a gateway can be reached through, the longest first.

        None for a link-local one: it means nothing without an interface, and a static route's next hop
        has none.
        """
        if not is_link_local(self.family, gateway):
            yield from self.covers(gateway)

    def covers_a_gateway(self, prefix: Prefix) -> bool:
        """Does any gateway lie in a prefix?"""
        if self._unsorted:
            self._sorted = sorted(self.gateways)
            self._unsorted = False
        place = bisect_left(self._sorted, prefix.value)
        return place < len(self._sorted) and self._sorted[place] <= prefix.last

    def within(self, prefix: Prefix) -> Iterator[Destination]:
        """The destinations that lie in a prefix, itself included, in no order."""
        for length in self._lengths:
            if length < prefix.length:
                return
            for value, destination in self._by_length[length].items():
                if prefix.value <= value <= prefix.last:
                    yield destination


def options(candidates: list[Candidate]) -> Iterator[tuple[Candidate, int | None]]:
    """The ways to a destination from best to worst; with a gateway where one is needed."""
    for candidate in candidates:
        if candidate.base is not None:
            yield candidate, None
        for gateway in candidate.gateways:
            yield candidate, gateway


Outcome = tuple[Candidate, Forwarding]
"""What was decided about a destination: who is active, and what is done with packets."""

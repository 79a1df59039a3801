"""Decides which routes are active and what the packet engines are told: pure, no I/O and no clock.

What is decided follows from interfaces and configuration alone, never from the order in which they came.
An event first settles what gateways can be reached, all at once since they hang together (see `resolve`),
but only when it touches a destination that a gateway lies in. All other destinations depend on
gateways alone: those affected are put on a list that is worked off in slices, so that a hundred thousand
routes do not keep the loop from its heartbeat.

Of several gateways of one route the first that can be reached is used; there is no load balancing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Final

from jdaemons.rpd.events import (
    Action,
    ChangeFib,
    Command,
    Continue,
    Event,
    Interface,
    InterfacesChanged,
    StaticRoute,
    StaticsChanged,
    Synced,
)
from jdaemons.rpd.nexthops import (
    DISCARD,
    REJECT,
    Forwarding,
    Hash,
    NextHops,
    NextHopType,
    stable_number,
)
from jdaemons.rpd.prefix import Prefix, around, host
from jdaemons.rpd.resolve import Resolution, reach
from jdaemons.rpd.table import Candidate, Destination, Outcome, Protocol, Source, Table, options

SLICE: Final = 2000
"""Destinations decided in one call: about 10 ms."""

_STATIC: Final = Source(Protocol.STATIC)
_ACTIONS: Final = MappingProxyType({Action.DISCARD: DISCARD, Action.REJECT: REJECT})


class Core:
    """Both routing tables, and the forwarding table that follows from them."""

    def __init__(self, *, number: Hash = stable_number, slice_size: int = SLICE) -> None:
        self.tables = {4: Table(4), 6: Table(6)}
        """By family."""
        self._next_hops = NextHops(number)
        self._slice_size = slice_size
        self._interfaces: dict[str, dict[Prefix, Candidate]] = {}
        """What each interface that is up contributes."""
        self._outcomes: dict[int, dict[Prefix, Outcome | None]] = {4: {}, 6: {}}
        """By family, of destinations that a gateway lies in, as of the last resolution."""
        self._touched: dict[Prefix, None] = {}
        """Whose candidates changed since they were last settled."""
        self._pending: dict[Prefix, None] = {}
        self._synced = False

    @property
    def pending(self) -> int:
        """Destinations that Continue has yet to decide."""
        return len(self._pending)

    def handle(self, event: Event, now: float) -> list[Command]:
        """Take what happened; what to tell the packet engines. Nothing before Synced.

        `now` is monotonic, in seconds. While `pending` is not 0 the caller goes on with Continue.
        """
        match event:
            case InterfacesChanged(upserts=upserts, removed=removed):
                for interface in upserts.values():
                    self._put_interface(interface.name, contributions(interface), now)
                for name in removed:
                    self._put_interface(name, {}, now)
            case StaticsChanged(upserts=statics, removed=prefixes):
                for route in statics:
                    self._put_static(route, now)
                for prefix in prefixes:
                    self._remove(prefix, _STATIC)
            case Synced():
                self._synced = True
            case Continue():
                pass
        if not self._synced:
            return []
        self._settle()
        return self._work(now)

    def outcome(self, destination: Destination) -> Outcome | None:
        """What follows for a destination now: who is active, and what is done with packets."""
        prefix = destination.prefix
        if prefix in self._outcomes[prefix.family]:
            return self._outcomes[prefix.family][prefix]
        gateways = self.tables[prefix.family].gateways
        for candidate, gateway in options(destination.candidates):
            forwarding = candidate.base if gateway is None else gateways[gateway].forwarding
            if forwarding is not None:
                return candidate, forwarding
        return None

    # -- candidates --------------------------------------------------------------------------

    def _put_interface(self, name: str, wanted: dict[Prefix, Candidate], now: float) -> None:
        known = self._interfaces.pop(name, {})
        for prefix, candidate in known.items():
            if prefix not in wanted or wanted[prefix].source != candidate.source:
                self._remove(prefix, candidate.source)
        for prefix, candidate in wanted.items():
            if known.get(prefix) != candidate:
                self._put(prefix, replace(candidate, since=now))
        if wanted:
            self._interfaces[name] = wanted

    def _put_static(self, route: StaticRoute, now: float) -> None:
        self._put(route.prefix, static_candidate(route, now))

    def _put(self, prefix: Prefix, candidate: Candidate) -> None:
        self.tables[prefix.family].put(prefix, candidate)
        self._touched[prefix] = None

    def _remove(self, prefix: Prefix, source: Source) -> None:
        self.tables[prefix.family].remove(prefix, source)
        self._touched[prefix] = None

    # -- decisions ---------------------------------------------------------------------------

    def _settle(self) -> None:
        """Bring the gateways in line with the candidates, and list whom that concerns."""
        for family, table in self.tables.items():
            touched = [prefix for prefix in self._touched if prefix.family == family]
            new = table.new_gateways()
            if any(table.covers_a_gateway(prefix) for prefix in touched):
                self._resolve(table)
            else:
                for prefix in touched:
                    # A gateway may have lain in it once.
                    self._outcomes[family].pop(prefix, None)
                for address, gateway in new:
                    gateway.forwarding = reach(table, address, self.outcome)
            table.forget_idle_gateways()
            self._pending.update(dict.fromkeys(touched))
        self._touched = {}

    def _resolve(self, table: Table) -> None:
        resolution = Resolution(table)
        before, after = self._outcomes[table.family], resolution.outcomes
        self._outcomes[table.family] = after
        for prefix in before.keys() | after.keys():
            missing = prefix not in before or prefix not in after
            if missing or before[prefix] != after[prefix]:
                self._pending[prefix] = None
        for address, gateway in table.gateways.items():
            forwarding = resolution.gateway(address)
            if gateway.forwarding != forwarding:
                gateway.forwarding = forwarding
                self._pending.update(gateway.users)

    def _work(self, now: float) -> list[Command]:
        """Decide a slice of what is pending, and say what that changes."""
        changed: dict[Prefix, Forwarding | None] = {}
        for prefix in list(islice(self._pending, self._slice_size)):
            del self._pending[prefix]
            destination = self.tables[prefix.family].destinations.get(prefix)
            if destination is None:
                continue
            before = destination.forwarding
            self._decide(destination, now)
            if destination.forwarding != before:
                changed[prefix] = destination.forwarding
                self._next_hops.move(before, destination.forwarding)
        return self._tell(changed)

    def _decide(self, destination: Destination, now: float) -> None:
        active, forwarding = self.outcome(destination) or (None, None)
        if (active, forwarding) != (destination.active, destination.forwarding):
            destination.changed = now
        destination.active, destination.forwarding = active, forwarding
        if not destination.candidates:
            prefix = destination.prefix
            self.tables[prefix.family].forget(prefix)
            self._outcomes[prefix.family].pop(prefix, None)

    def _tell(self, changed: dict[Prefix, Forwarding | None]) -> list[Command]:
        if not changed:
            return []
        renumbering = self._next_hops.renumber()
        ids = self._next_hops.ids
        routes = {prefix: ids[hop] for prefix, hop in changed.items() if hop is not None}
        if renumbering.moved:
            for table in self.tables.values():
                for prefix, destination in table.destinations.items():
                    if destination.forwarding in renumbering.moved:
                        routes[prefix] = ids[destination.forwarding]
        return [
            ChangeFib(
                next_hops=renumbering.next_hops,
                routes=routes,
                withdrawn=tuple(prefix for prefix, hop in changed.items() if hop is None),
                released=renumbering.released,
            )
        ]


def contributions(interface: Interface) -> dict[Prefix, Candidate]:
    """The routes that follow from an interface: its networks, and its own addresses."""
    if not interface.up:
        return {}
    candidates: dict[Prefix, Candidate] = {}
    for own in interface.addresses:
        address = host(own.family, own.address)
        network = around(own.family, own.address, own.length)
        if network != address:
            direct = _contribution(interface, Protocol.DIRECT, NextHopType.RESOLVE)
            candidates.setdefault(network, direct)
        protocol = Protocol.LOCAL if network != address else Protocol.DIRECT
        candidates.setdefault(address, _contribution(interface, protocol, NextHopType.LOCAL))
    return candidates


def _contribution(interface: Interface, protocol: Protocol, type_: NextHopType) -> Candidate:
    return Candidate(
        source=Source(protocol, interface.name),
        rank=interface.index,
        base=Forwarding(type_, interface.name, interface.fpc, interface.pfe_port),
    )


def static_candidate(route: StaticRoute, now: float) -> Candidate:
    """The candidate that a static route is."""
    return Candidate(
        source=_STATIC,
        preference=route.preference,
        base=None if route.action is None else _ACTIONS[route.action],
        gateways=route.gateways,
        since=now,
    )

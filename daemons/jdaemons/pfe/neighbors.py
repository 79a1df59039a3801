"""The neighbour cache of all ports: who has which MAC, who is being asked for, what waits for that.

One table for ARP and neighbour discovery, since only the question differs. Pure: time comes in,
commands go out. A neighbour that has not confirmed itself for a while is asked again with unicast
probes while forwarding to it goes on; only one that stays silent is given up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SECOND: Final = 1_000_000_000
FRESH_NS: Final = 30 * SECOND
"""After this a neighbour is probed."""
RETRY_NS: Final = SECOND
"""RetransTimer of RFC 4861 section 10."""
TRIES: Final = 3
PROBES: Final = 5
WAITING_MAX: Final = 512
"""Packets that wait for one neighbour."""
WAITING_TOTAL: Final = 2048

Key = tuple[int, bytes]
"""Port index and address of 4 or 16 octets."""
Waiting = tuple[int, bytes]
"""Next hop slot (0: the router's own) and the IP packet."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a question; to everybody, or to the MAC that is to confirm itself."""

    port: int
    address: bytes
    mac: bytes | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """The neighbour has this MAC; send what waited."""

    port: int
    address: bytes
    mac: bytes
    waited: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """A known neighbour does not answer any more."""

    port: int
    address: bytes


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nobody answered; these packets waited in vain."""

    port: int
    address: bytes
    waited: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """There was no room for this packet to wait."""

    packet: Waiting


Command = Ask | Learned | Lost | Unreachable | Refused


@dataclass(slots=True)
class _Known:
    mac: bytes
    confirmed_ns: int
    probes: int = 0
    next_ns: int = 0


@dataclass(slots=True)
class _Asked:
    next_ns: int
    tries: int = 1
    waiting: list[Waiting] = field(default_factory=list)


class Neighbours:
    """The cache."""

    def __init__(self, room: int) -> None:
        """`room` is how many neighbours may be known or asked for."""
        self._room = room
        self._known: dict[Key, _Known] = {}
        self._asked: dict[Key, _Asked] = {}
        self._waiting = 0

    def restore(self, port: int, address: bytes, mac: bytes, confirmed_ns: int) -> None:
        """Take over what a predecessor knew."""
        self._known[(port, address)] = _Known(mac, confirmed_ns)

    def mac(self, port: int, address: bytes) -> bytes | None:
        """The neighbour's MAC, if known."""
        known = self._known.get((port, address))
        return known.mac if known else None

    def resolve(self, port: int, address: bytes, packet: Waiting, now: int) -> list[Command]:
        """A packet for a neighbour that is not known: let it wait, and ask."""
        key = (port, address)
        asked = self._asked.get(key)
        commands: list[Command] = []
        if asked is None:
            if len(self._known) + len(self._asked) >= self._room:
                return [Refused(packet)]
            asked = self._asked[key] = _Asked(now + RETRY_NS)
            commands.append(Ask(port, address))
        if len(asked.waiting) >= WAITING_MAX or self._waiting >= WAITING_TOTAL:
            return [*commands, Refused(packet)]
        asked.waiting.append(packet)
        self._waiting += 1
        return commands

    def heard(
        self, port: int, address: bytes, mac: bytes, now: int, *, create: bool
    ) -> list[Command]:
        """A neighbour told its MAC. Without `create`, only what is known or asked for counts."""
        key = (port, address)
        asked = self._asked.pop(key, None)
        known = self._known.get(key)
        full = len(self._known) + len(self._asked) >= self._room
        if known is None and asked is None and (not create or full):
            return []
        if known is not None and known.mac == mac:
            known.confirmed_ns, known.probes = now, 0
            return []
        self._known[key] = _Known(mac, now)
        return [Learned(port, address, mac, self._taken(asked))]

    def forget_port(self, port: int) -> list[Command]:
        """The link went down: whoever was there may be another next time."""
        gone = [key for key in self._known if key[0] == port]
        for key in gone:
            del self._known[key]
        commands: list[Command] = [Lost(*key) for key in gone]
        for key in [key for key in self._asked if key[0] == port]:
            commands.append(Unreachable(*key, self._taken(self._asked.pop(key))))
        return commands

    def tick(self, now: int) -> list[Command]:
        """What is due: questions again, probes, and giving up."""
        commands: list[Command] = []
        for key, asked in [item for item in self._asked.items() if item[1].next_ns <= now]:
            if asked.tries >= TRIES:
                del self._asked[key]
                commands.append(Unreachable(*key, self._taken(asked)))
            else:
                asked.tries += 1
                asked.next_ns = now + RETRY_NS
                commands.append(Ask(*key))
        commands.extend(self._probe(now))
        return commands

    def _probe(self, now: int) -> Iterable[Command]:
        stale = now - FRESH_NS
        due = [
            item
            for item in self._known.items()
            if item[1].confirmed_ns <= stale and item[1].next_ns <= now
        ]
        for key, known in due:
            if known.probes >= PROBES:
                del self._known[key]
                yield Lost(*key)
            else:
                known.probes += 1
                known.next_ns = now + RETRY_NS
                yield Ask(*key, known.mac)

    def _taken(self, asked: _Asked | None) -> tuple[Waiting, ...]:
        if asked is None:
            return ()
        self._waiting -= len(asked.waiting)
        return tuple(asked.waiting)

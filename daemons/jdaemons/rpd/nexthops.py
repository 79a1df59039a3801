"""What is done with a packet in the end, and the numbers by which routes refer to it.

A number must be the same after a restart of rpd, or the packet engines would have to rewrite every
route for nothing. So it is a hash of the next hop's content, and the whole numbering is a function of
the *set* of next hops in use: each has a sequence of numbers of its own, and in the order of their content
each takes the first that is free. Which came into use first makes no difference.

Nothing is numbered afresh for that. One that comes displaces a later one from a number that both want,
and one that goes leaves its number to the first of those that it was denied to. Since all numbers
prefer the same order, only one assignment is stable, the one described above (a serial dictatorship).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from itertools import count
from typing import NamedTuple


class NextHopType(IntEnum):
    """Numbers as in rpd.proto."""

    UNICAST = 1
    RESOLVE = 2
    LOCAL = 3
    DISCARD = 4
    REJECT = 5


class Forwarding(NamedTuple):
    """A next hop: everything that a packet engine has to know."""

    type: NextHopType
    interface: str = ""
    fpc: int = 0
    pfe_port: int = 0
    gateway: bytes = b""
    """4 or 16 octets, for unicast."""


DISCARD = Forwarding(NextHopType.DISCARD)
REJECT = Forwarding(NextHopType.REJECT)

Hash = Callable[[Forwarding, int], int]


def stable_number(next_hop: Forwarding, attempt: int) -> int:
    """The number that a next hop takes at an attempt: 32 bits, never 0, in every process the same."""
    digest = blake2b(digest_size=4, salt=attempt.to_bytes(16))
    digest.update(repr((int(next_hop.type), *next_hop[1:])).encode())
    return int.from_bytes(digest.digest()) or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Renumbering:
    """What the numbering of next hops gained and lost."""

    next_hops: Mapping[int, Forwarding]
    """New numbers, or known ones that mean something else now."""
    moved: frozenset[Forwarding]
    """Next hops that were in use before and have another number now."""
    released: tuple[int, ...]


class NextHops:
    """The next hops in use, counted by the routes that use them, and their numbers."""

    def __init__(self, number: Hash = stable_number) -> None:
        self.ids: dict[Forwarding, int] = {}
        self._number = number
        self._uses: dict[Forwarding, int] = {}
        self._touched: dict[Forwarding, None] = {}
        self._holders: dict[int, Forwarding] = {}
        self._attempts: dict[Forwarding, int] = {}
        """At which attempt each got its number."""
        self._losers: dict[int, set[Forwarding]] = {}
        """Who was turned away from a number, and takes it when it becomes free."""
        self._before: dict[Forwarding, int | None] = {}
        """The numbers, before this renumbering, of all that it gave another."""

    def move(self, old: Forwarding | None, new: Forwarding | None) -> None:
        """A route that used `old` uses `new`; None is no next hop. Numbers follow with `renumber`."""
        if old is not None:
            self._uses[old] -= 1
            self._touched[old] = None
        if new is not None:
            self._uses[new] = self._uses.get(new, 0) + 1
            self._touched[new] = None

    def renumber(self) -> Renumbering:
        """Number what came into use since the last time and release what went out of it."""
        for hop in self._touched:
            if not self._uses[hop]:
                del self._uses[hop]
                if hop in self.ids:
                    self._leave(hop)
            elif hop not in self.ids:
                self._enter(hop, 0)
        self._touched = {}
        before, self._before = self._before, {}
        changed = [hop for hop, number in before.items() if self.ids.get(hop, number) != number]
        return Renumbering(
            next_hops={self.ids[hop]: hop for hop in changed},
            moved=frozenset(hop for hop in changed if before[hop] is not None),
            released=tuple(
                number
                for number in before.values()
                if number is not None and number not in self._holders
            ),
        )

    def _enter(self, hop: Forwarding, attempt: int) -> None:
        """Give a number to one that has none, beginning at an attempt; whom it displaces goes on."""
        while True:
            number = self._number(hop, attempt)
            holder = self._holders.get(number)
            if holder is None:
                self._give(number, hop, attempt)
                return
            if hop < holder:
                displaced, lost_at = holder, self._attempts[holder]
                self._give(number, hop, attempt)
                hop, attempt = displaced, lost_at
            self._losers.setdefault(number, set()).add(hop)
            attempt += 1

    def _leave(self, hop: Forwarding) -> None:
        """Take a number back; the best of those turned away from it takes it, and so on."""
        self._before.setdefault(hop, self.ids[hop])
        number = self.ids.pop(hop)
        self._give_up(hop, 0, self._attempts.pop(hop))
        while number in self._losers:
            hop = min(self._losers[number])
            attempt = next(n for n in count() if self._number(hop, n) == number)
            left = self.ids[hop]
            self._give_up(hop, attempt, self._attempts[hop])
            self._give(number, hop, attempt)
            number = left
        del self._holders[number]

    def _give(self, number: int, hop: Forwarding, attempt: int) -> None:
        self._before.setdefault(hop, self.ids.get(hop))
        self.ids[hop] = number
        self._attempts[hop] = attempt
        self._holders[number] = hop

    def _give_up(self, hop: Forwarding, first: int, end: int) -> None:
        """No longer want the numbers of the attempts from `first` up to `end`."""
        for attempt in range(first, end):
            number = self._number(hop, attempt)
            losers = self._losers.get(number, set())
            losers.discard(hop)
            if not losers:
                self._losers.pop(number, None)

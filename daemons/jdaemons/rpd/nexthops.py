"""What is done with a packet in the end, and the numbers by which routes refer to it.

A number must be the same after a restart of rpd, or the packet engines would have to rewrite every
route for nothing. So it is a hash of the next hop's content, and the whole numbering is a function of
the *set* of next hops in use: when two hash alike, all are numbered afresh in the order of their
content, each taking the first number of its own that is free. Which came first makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
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
        self._taken: set[int] = set()
        self._touched: set[Forwarding] = set()
        self._crowded = False
        """Some next hop could not have the first number of its own."""

    def move(self, old: Forwarding | None, new: Forwarding | None) -> None:
        """A route that used `old` uses `new`; None is no next hop. Numbers follow with `renumber`."""
        if old is not None:
            self._uses[old] -= 1
            self._touched.add(old)
        if new is not None:
            self._uses[new] = self._uses.get(new, 0) + 1
            self._touched.add(new)

    def renumber(self) -> Renumbering:
        """Number what came into use since the last time and release what went out of it."""
        gone = [hop for hop in self._touched if not self._uses[hop]]
        new = [hop for hop in self._touched if self._uses[hop] and hop not in self.ids]
        self._touched.clear()
        for hop in gone:
            del self._uses[hop]
        released = [self.ids.pop(hop) for hop in gone if hop in self.ids]
        if not new and not released:
            return Renumbering(next_hops={}, moved=frozenset(), released=())
        self._taken.difference_update(released)
        first = {hop: self._number(hop, 0) for hop in new}
        numbers = set(first.values())
        if self._crowded or len(numbers) < len(first) or not numbers.isdisjoint(self._taken):
            return self._renumber_all(released)
        self.ids.update(first)
        self._taken |= numbers
        return _difference(first, moved=frozenset(), released=released)

    def _renumber_all(self, released: Iterable[int]) -> Renumbering:
        before = self.ids
        self.ids = _numbered(self._uses, self._number)
        self._taken = set(self.ids.values())
        self._crowded = any(id_ != self._number(hop, 0) for hop, id_ in self.ids.items())
        changed = {hop: id_ for hop, id_ in self.ids.items() if before.get(hop) != id_}
        moved = frozenset(hop for hop in changed if hop in before)
        left = [before[hop] for hop in moved]
        return _difference(changed, moved=moved, released=[*released, *left])


def _difference(
    changed: Mapping[Forwarding, int], *, moved: frozenset[Forwarding], released: Iterable[int]
) -> Renumbering:
    """A number that one next hop leaves and another takes is not released."""
    next_hops = {number: hop for hop, number in changed.items()}
    return Renumbering(
        next_hops=next_hops,
        moved=moved,
        released=tuple(number for number in released if number not in next_hops),
    )


def _numbered(next_hops: Iterable[Forwarding], number: Hash) -> dict[Forwarding, int]:
    ids: dict[Forwarding, int] = {}
    taken: set[int] = set()
    for hop in sorted(next_hops):
        attempt = 0
        while (chosen := number(hop, attempt)) in taken:
            attempt += 1
        taken.add(chosen)
        ids[hop] = chosen
    return ids

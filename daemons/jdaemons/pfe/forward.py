"""The vector path: a batch of frames in, adjacencies out. Everything odd is left to the slow path.

A row is forwarded here only when nothing about it is special: for our MAC, a plain header that is right
in every field, hops to spare, a route to a neighbour that is known, and no larger than its link takes.
Anything else is punted, so that every rule about odd packets stands in one place and is written for
one packet. What the vector path drops is what may come in floods: frames for others, discard routes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.adjacency import FABRIC_PORT, Adjacencies, Kind
from jdaemons.pfe.checksum import after_ttl_decrement, headers_valid
from jdaemons.pfe.interfaces import MAC_MASK, Interface
from jdaemons.pfe.layout import Image
from jdaemons.pfe.packets import ETH_HEADER

_IPV4: Final = np.frombuffer(b"\x08\x00", np.uint16)[0]
_IPV6: Final = np.frombuffer(b"\x86\xdd", np.uint16)[0]

Heads = NDArray[np.uint8]
Lengths = NDArray[np.int64]
Rows = NDArray[np.intp]
Halves = Callable[[Heads], tuple[NDArray[np.uint64], NDArray[np.uint64]]]

_PUNT: Final = 0
"""Adjacency 0 is no next hop and punts."""


def _first_octets(good: Callable[[int], bool]) -> NDArray[np.bool_]:
    return np.array([good(octet) for octet in range(256)])


_UNICAST4: Final = _first_octets(lambda octet: 0 < octet < 224 and octet != 127)
"""First octets of addresses to forward from and to (RFC 1812 section 5.3.7)."""
_UNICAST6: Final = _first_octets(lambda octet: 0 < octet < 0xFE)
"""Multicast, link-local and ::/8 are the slow path's."""
_NO_ROWS: Final[Rows] = np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the rows of a batch."""

    sent: Rows
    """To be transmitted; their heads are rewritten."""
    ports: NDArray[np.int32]
    """For each of `sent`, the port index, or FABRIC_PORT and the FPC."""
    slots: Rows
    """For each of `sent`, the next hop."""
    lengths: Lengths
    """For each of `sent`, octets without padding."""
    punted: Rows
    discarded: int
    foreign: int
    """Unicast frames for somebody else."""


@dataclass(slots=True)
class _Columns:
    """A verdict for each row of a batch."""

    slots: Rows
    adjacencies: Rows
    lengths: Lengths


class Forwarder:
    """Works on batches; owns nothing but its references."""

    def __init__(self, image: Image, adjacencies: Adjacencies) -> None:
        self._image = image
        self._at = adjacencies

    def from_port(self, port: Interface, heads: Heads, lengths: Lengths) -> Outcome:
        """Frames that came in on a port."""
        mine = (heads.view(np.uint64)[:, 0] & MAC_MASK) == port.mac_word
        columns = self._route(heads, lengths, mine)
        foreign = ~mine & (heads[:, 0] & 1 == 0)
        return self._outcome(heads, columns, foreign)

    def from_fabric(self, heads: Heads, lengths: Lengths) -> Outcome:
        """Packets another FPC's engine has routed: its header names the next hop."""
        ids = heads[:, :4].copy().view(">u4")[:, 0].tolist()
        slots = np.array([self._at.slots.get(each, 0) for each in ids], np.intp)
        adjacencies = slots.copy()
        kinds = heads.view(np.uint16)[:, 6]
        resolve = self._at.kind[slots] == Kind.RESOLVE
        for ethertype, destinations in ((_IPV4, _halves4), (_IPV6, _halves6)):
            rows = np.nonzero(resolve & (kinds == ethertype))[0]
            if len(rows):
                adjacencies[rows] = self._at.attached(slots[rows], *destinations(heads[rows]))
        big = lengths - ETH_HEADER > self._at.mtu[adjacencies]
        # What would go over the fabric once more went astray: the slow path counts it.
        adjacencies[big | (self._at.port[adjacencies] >= FABRIC_PORT)] = _PUNT
        return self._outcome(
            heads, _Columns(slots, adjacencies, lengths), np.zeros(len(heads), bool)
        )

    def _route(self, heads: Heads, lengths: Lengths, mine: NDArray[np.bool_]) -> _Columns:
        kinds = heads.view(np.uint16)[:, 6]
        four = mine & (kinds == _IPV4)
        if four.all():
            return self._inet(heads, lengths)
        six = mine & (kinds == _IPV6)
        if six.all():
            return self._inet6(heads, lengths)
        count = len(heads)
        whole = _Columns(np.zeros(count, np.intp), np.zeros(count, np.intp), lengths.copy())
        for mask, route in ((four, self._inet), (six, self._inet6)):
            rows = np.nonzero(mask)[0]
            if len(rows):
                part = heads[rows]
                found = route(part, lengths[rows])
                heads[rows] = part
                whole.slots[rows] = found.slots
                whole.adjacencies[rows] = found.adjacencies
                whole.lengths[rows] = found.lengths
        return whole

    def _inet(self, heads: Heads, lengths: Lengths) -> _Columns:
        words = heads.view(np.uint16)
        total = _word(heads, 16)
        ok = (heads[:, 14] == 0x45) & (heads[:, 22] > 1) & headers_valid(words[:, 7:17])
        ok &= (total >= 20) & (total <= lengths - ETH_HEADER)
        ok &= _UNICAST4[heads[:, 26]] & _UNICAST4[heads[:, 30]]
        slots = self._image.trie4.lookup(heads[:, 30:34]).astype(np.intp)
        adjacencies = self._neighbours(slots, heads, _halves4)
        ok &= total <= self._at.mtu[adjacencies]
        heads[:, 22] -= 1
        words[:, 12] = after_ttl_decrement(words[:, 12])
        return _Columns(slots, np.where(ok, adjacencies, _PUNT), total + ETH_HEADER)

    def _inet6(self, heads: Heads, lengths: Lengths) -> _Columns:
        total = _word(heads, 18) + 40
        ok = (heads[:, 14] >> 4 == 6) & (heads[:, 21] > 1) & (total <= lengths - ETH_HEADER)
        ok &= _UNICAST6[heads[:, 22]] & _UNICAST6[heads[:, 38]]
        slots = self._image.trie6.lookup(heads[:, 38:54]).astype(np.intp)
        adjacencies = self._neighbours(slots, heads, _halves6)
        ok &= total <= self._at.mtu[adjacencies]
        heads[:, 21] -= 1
        return _Columns(slots, np.where(ok, adjacencies, _PUNT), total + ETH_HEADER)

    def _neighbours(self, slots: Rows, heads: Heads, halves: Halves) -> Rows:
        """Adjacencies: the slots, but for directly attached destinations the neighbours."""
        attached = self._at.kind[slots] == Kind.RESOLVE
        if not attached.any():
            return slots
        adjacencies = slots.copy()
        rows = np.nonzero(attached)[0]
        adjacencies[rows] = self._at.attached(slots[rows], *halves(heads[rows]))
        return adjacencies

    def _outcome(self, heads: Heads, columns: _Columns, foreign: NDArray[np.bool_]) -> Outcome:
        kinds = self._at.kind[columns.adjacencies]
        fast = kinds == Kind.FAST
        words = heads.view(np.uint16)
        if fast.all():
            words[:, :6] = self._at.macs[columns.adjacencies]
            ports = self._at.port[columns.adjacencies]
            every = np.arange(len(heads))
            return Outcome(every, ports, columns.slots, columns.lengths, _NO_ROWS, 0, 0)
        sent = np.nonzero(fast)[0]
        adjacencies = columns.adjacencies[sent]
        words[sent, :6] = self._at.macs[adjacencies]
        discard = kinds == Kind.DISCARD
        return Outcome(
            sent,
            self._at.port[adjacencies],
            columns.slots[sent],
            columns.lengths[sent],
            np.nonzero(~(fast | discard | foreign))[0],
            int(np.count_nonzero(discard)),
            int(np.count_nonzero(foreign)),
        )


def _word(heads: Heads, at: int) -> Lengths:
    """The 16 bits in network order at an even offset."""
    return heads.view(">u2")[:, at // 2].astype(np.int64)


def _halves4(heads: Heads) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    low = heads[:, 30:34].copy().view(">u4")[:, 0].astype(np.uint64)
    return np.zeros_like(low), low


def _halves6(heads: Heads) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    halves = heads[:, 38:54].copy().view(">u8").astype(np.uint64)
    return halves[:, 0], halves[:, 1]

"""Where next hops lead, as columns for the vector path: port, MTU and the MACs to write.

An index names a next hop slot, or, from NEXT_HOPS_MAX on, a neighbour. A next hop towards a gateway
takes over the neighbour's columns as soon as it is resolved; one that is directly attached is looked
up by destination in a sorted column of neighbour keys. The engine keeps all this privately and makes
it anew from the image and the neighbour table.
"""

from __future__ import annotations

from collections import defaultdict
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.interfaces import Interfaces
from jdaemons.pfe.layout import NEXT_HOPS_MAX, Image, NextHopType
from jdaemons.pfe.segment import NEIGHBOURS_MAX
from jdaemons.pfe.values import NextHop

FABRIC_PORT: Final = 0x10000
"""Port numbers from here on are those of other FPCs."""
ANY_MTU: Final = 65535
_MIX_HIGH: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_PORT: Final = np.uint64(0xC2B2AE3D27D4EB4F)

Columns = NDArray[np.uint64]
Rows = NDArray[np.intp]


class Kind(IntEnum):
    """What to do with a packet; 0 for a slot the engine has not heard of yet."""

    UNKNOWN = 0
    FAST = 1
    PUNT = 2
    RESOLVE = 3
    DISCARD = 4


class Adjacencies:
    """The columns, and what they were made from."""

    def __init__(self, fpc: int) -> None:
        size = NEXT_HOPS_MAX + NEIGHBOURS_MAX
        self.kind = np.zeros(size, np.uint8)
        self.port = np.zeros(size, np.int32)
        self.mtu = np.zeros(size, np.int32)
        self.macs = np.zeros((size, 6), np.uint16)
        """Destination and source MAC."""
        self.next_hops: dict[int, NextHop] = {}
        """By slot."""
        self.slots: dict[int, int] = {}
        """Next hop ID to slot."""
        self.fpc = fpc
        self._seen = np.zeros(NEXT_HOPS_MAX, np.uint32)
        self._waiting: dict[tuple[int, bytes], set[int]] = defaultdict(set)
        self._known: dict[tuple[int, bytes], tuple[int, bytes]] = {}
        self._free = list(range(NEIGHBOURS_MAX - 1, -1, -1))
        self._keys: Columns = np.zeros(0, np.uint64)
        self._highs: Columns = self._keys
        self._lows: Columns = self._keys
        self._indexes: Rows = np.zeros(0, np.intp)
        self._sorted = True
        self._interfaces = Interfaces()
        # Slot 0, no next hop: the slow path tells the sender that there is no route.
        self.kind[0] = Kind.PUNT

    # -- next hops -----------------------------------------------------------------------------

    def refresh(self, image: Image, interfaces: Interfaces, *, everything: bool) -> None:
        """Take over the next hops that changed; all of them when the interfaces did."""
        self._interfaces = interfaces
        high = max(1, int(image.header["next_hops_high"][0]))
        records = image.next_hops[:high]
        changed = (records["generation"] != self._seen[:high]) | everything
        changed[0] = False
        for slot in np.nonzero(changed)[0].tolist():
            self._set_next_hop(slot, NextHop.from_record(records[slot].tobytes()))
            self._seen[slot] = records["generation"][slot]
        if everything:
            for (port, address), (index, mac) in self._known.items():
                self._put_neighbour(index - NEXT_HOPS_MAX, port, address, mac)

    def _set_next_hop(self, slot: int, next_hop: NextHop) -> None:
        old = self.next_hops.pop(slot, None)
        if old is not None:
            self._waiting[(old.port, old.gateway)].discard(slot)
            if self.slots.get(old.id) == slot:
                del self.slots[old.id]
        if next_hop.type == NextHopType.FREE:
            self.kind[slot] = Kind.UNKNOWN
            return
        self.next_hops[slot] = next_hop
        self.slots[next_hop.id] = slot
        if next_hop.type in (NextHopType.UNICAST, NextHopType.RESOLVE):
            self._set_towards(slot, next_hop)
        else:
            discard = next_hop.type == NextHopType.DISCARD
            self.mtu[slot] = ANY_MTU
            self.kind[slot] = Kind.DISCARD if discard else Kind.PUNT

    def _set_towards(self, slot: int, next_hop: NextHop) -> None:
        if next_hop.fpc != self.fpc:
            self._set_fabric(slot, next_hop)
            return
        self.port[slot] = next_hop.port
        if next_hop.type == NextHopType.RESOLVE:
            self.kind[slot] = Kind.RESOLVE
            return
        key = (next_hop.port, next_hop.gateway)
        self._waiting[key].add(slot)
        self.kind[slot] = Kind.PUNT
        if key in self._known:
            self._write(slot, next_hop.port, self._known[key][1])

    def _set_fabric(self, slot: int, next_hop: NextHop) -> None:
        """In place of MACs the other engine gets the next hop's ID."""
        label = next_hop.id.to_bytes(4) + self.fpc.to_bytes(2) + bytes(6)
        self.macs[slot] = np.frombuffer(label, np.uint16)
        self.mtu[slot] = ANY_MTU
        self.port[slot] = FABRIC_PORT + next_hop.fpc
        self.kind[slot] = Kind.FAST

    def _write(self, index: int, port: int, mac: bytes) -> None:
        interface = self._interfaces.by_index.get(port)
        if interface is None or not interface.up:
            self.kind[index] = Kind.PUNT
            return
        self.macs[index] = np.frombuffer(mac + interface.mac, np.uint16)
        self.mtu[index] = interface.mtu
        self.port[index] = port
        self.kind[index] = Kind.FAST

    # -- neighbours ----------------------------------------------------------------------------

    def set_neighbour(self, port: int, address: bytes, mac: bytes) -> int | None:
        """A neighbour is known, or has another MAC now; its number, None when the table is full."""
        known = self._known.get((port, address))
        if known is None and not self._free:
            return None
        number = known[0] - NEXT_HOPS_MAX if known else self._free.pop()
        self._put_neighbour(number, port, address, mac)
        return number

    def restore_neighbour(self, number: int, port: int, address: bytes, mac: bytes) -> None:
        """A predecessor knew it by that number."""
        self._free.remove(number)
        self._put_neighbour(number, port, address, mac)

    def remove_neighbour(self, port: int, address: bytes) -> int:
        """It is gone; the number it had."""
        index, _ = self._known.pop((port, address))
        self._free.append(index - NEXT_HOPS_MAX)
        for slot in self._waiting.get((port, address), ()):
            self.kind[slot] = Kind.PUNT
        self._sorted = False
        return index - NEXT_HOPS_MAX

    def _put_neighbour(self, number: int, port: int, address: bytes, mac: bytes) -> None:
        index = NEXT_HOPS_MAX + number
        self._known[(port, address)] = (index, mac)
        self._sorted = False
        self._write(index, port, mac)
        for slot in self._waiting.get((port, address), ()):
            self._write(slot, port, mac)

    def _sort(self) -> None:
        """Once for all that came and went since the last batch that asks."""
        self._sorted = True
        rows = []
        for (port, address), (index, _) in self._known.items():
            wide = int.from_bytes(address)
            rows.append((port, wide >> 64, wide & 0xFFFFFFFFFFFFFFFF, index))
        ports = np.array([row[0] for row in rows], np.uint64)
        highs = np.array([row[1] for row in rows], np.uint64)
        lows = np.array([row[2] for row in rows], np.uint64)
        keys = _keys(ports, highs, lows)
        order = np.argsort(keys)
        self._keys, self._highs, self._lows = keys[order], highs[order], lows[order]
        self._indexes = np.array([row[3] for row in rows], np.intp)[order]

    def attached(self, slots: Rows, highs: Columns, lows: Columns) -> Rows:
        """For directly attached destinations the neighbour's index; the slot itself when unknown.

        `highs` and `lows` are the destination's halves; IPv4's is all in `lows`.
        """
        if not self._sorted:
            self._sort()
        if not len(self._keys):
            return slots
        keys = _keys(self.port[slots].astype(np.uint64), highs, lows)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        found = (self._keys[at] == keys) & (self._highs[at] == highs) & (self._lows[at] == lows)
        return np.where(found, self._indexes[at], slots)


def _keys(ports: Columns, highs: Columns, lows: Columns) -> Columns:
    """Mixes port and address; wraps around, as meant."""
    return (highs * _MIX_HIGH) ^ lows ^ (ports * _MIX_PORT)

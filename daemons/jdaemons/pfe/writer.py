"""The one writer of a forwarding image, safe against its own death at any store.

Routes: a transaction notes its operations in the journal, begins, changes the route list, then the
tries, and commits. Every step can be repeated, so that a successor who finds a transaction begun does
it again from the start (roll forward); one that was not begun never happened.

Small tables (ports, addresses, next hops): a transaction notes the octets it is going to write and
where, and is repeated in the same way. Meanwhile the generation is odd, and the engine goes on with
what it has read before.
"""

from __future__ import annotations

import struct
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.layout import (
    ADDRESS,
    ADDRESSES_MAX,
    JOURNAL_MAX,
    NEXT_HOP,
    NEXT_HOPS_HIGH,
    NEXT_HOPS_MAX,
    PORT,
    PORTS_MAX,
    REDO_MAX,
    ROUTE,
    ROUTE_KEY,
    Image,
    JournalState,
    NextHopType,
)
from jdaemons.pfe.lpm import TrieFull, TrieWriter
from jdaemons.pfe.values import Address, NextHop, Port

SPARE_SLOTS: Final = 64
"""Freed next hop slots that wait before they are used again."""
Records = NDArray[np.void]
_SPAN: Final = struct.Struct("<QI")
_DELETE: Final = 0


class ImageFull(Exception):
    """A table of the image has no room; the text names it. What did not fit is not installed."""


@dataclass(frozen=True, slots=True)
class _Write:
    offset: int
    octets: bytes


def _nothing() -> None:
    pass


class ImageWriter:
    """Finishes what a predecessor began, then writes differences."""

    def __init__(self, image: Image, step: Callable[[], None] = _nothing) -> None:
        """`step` is called before every store; tests raise from it."""
        self.image = image
        self._step = step
        self._tries = {
            4: TrieWriter(image.trie4, step),
            6: TrieWriter(image.trie6, step),
        }
        self._slots: dict[int, int] = {}
        self._free_slots: deque[int] = deque()
        self._routes: dict[bytes, int] = {}
        self._free_routes: list[int] = []
        self._finish_redo()
        self._read_next_hops()
        self._read_routes()
        self._finish_routes()

    # -- what is installed -------------------------------------------------------------------

    def routes(self) -> dict[bytes, int]:
        """Every installed route with the ID of its next hop."""
        slots = self.image.routes["next_hop"][list(self._routes.values())]
        ids = self.image.next_hops["id"][slots].tolist()
        return dict(zip(self._routes, ids, strict=True))

    def next_hops(self) -> dict[int, NextHop]:
        """Every next hop, by its ID."""
        return {
            number: NextHop.from_record(self.image.next_hops[slot].tobytes())
            for number, slot in self._slots.items()
        }

    def slot(self, number: int) -> int | None:
        """The slot of a next hop's ID."""
        return self._slots.get(number)

    # -- routes --------------------------------------------------------------------------------

    def change_routes(self, upserts: Mapping[bytes, int], removed: Iterable[bytes]) -> None:
        """Install, repoint and remove routes; `upserts` name next hops by ID.

        Raises ImageFull after all that fits is written.
        """
        known = {key: number for key, number in upserts.items() if number in self._slots}
        room = len(self.image.routes) - len(self._routes)
        new = [key for key in known if key not in self._routes]
        for key in new[room:]:
            del known[key]
        operations = [(key, self._slots[number]) for key, number in known.items()]
        operations += [(key, _DELETE) for key in removed]
        self._run(operations)
        if len(known) < len(upserts):
            raise ImageFull(f"cannot install {len(upserts) - len(known)} routes: no room for them")

    def _run(self, operations: list[tuple[bytes, int]]) -> None:
        full = ""
        for begin in range(0, len(operations), JOURNAL_MAX):
            full = self._transact(operations[begin : begin + JOURNAL_MAX]) or full
        if full:
            raise ImageFull(full)

    def _transact(self, operations: list[tuple[bytes, int]]) -> str:
        image = self.image
        records = np.zeros(len(operations), ROUTE)
        keys = np.frombuffer(b"".join(key for key, _ in operations), np.uint8)
        records.view(np.uint8).reshape(-1, ROUTE.itemsize)[:, :ROUTE_KEY] = keys.reshape(
            -1, ROUTE_KEY
        )
        records["next_hop"] = [slot for _, slot in operations]
        self._step()
        image.journal[: len(operations)] = records
        image.header["journal_count"] = len(operations)
        self._step()
        image.header["journal_state"] = JournalState.ROUTES
        return self._carry_out(records)

    def _finish_routes(self) -> None:
        """Roll a predecessor's transaction forward."""
        header = self.image.header
        if header["journal_state"][0] == JournalState.ROUTES:
            self._carry_out(self.image.journal[: int(header["journal_count"][0])].copy())

    def _carry_out(self, records: Records) -> str:
        """Do what the journal says, or do it again; why something did not fit, if so."""
        deleted = records[records["next_hop"] == _DELETE]
        written = records[records["next_hop"] != _DELETE]
        self._list_routes(written)
        self._unlist_routes(deleted)
        for (family, length), group in _by_length(deleted).items():
            self._remove(family, length, group)
        full = ""
        for (family, length), group in _by_length(written).items():
            try:
                self._tries[family].insert(
                    _addresses(group, family), length, group["next_hop"].copy()
                )
            except TrieFull as error:
                full = str(error)
        self._step()
        self.image.header["journal_state"] = JournalState.IDLE
        return full

    def _remove(self, family: int, length: int, records: Records) -> None:
        parents = [self._parent(key) for key in _keys(records)]
        self._tries[family].remove(
            _addresses(records, family),
            length,
            np.array([slot for slot, _ in parents], np.uint32),
            np.array([found for _, found in parents], np.uint8),
        )

    def _list_routes(self, records: Records) -> None:
        """Put routes on the route list. A record counts once its family is written, last."""
        listed = self.image.routes
        keys = _keys(records)
        known = np.array([key in self._routes for key in keys], bool)
        new = [self._routes.setdefault(key, self._new_route()) for key in _keys(records[~known])]
        self._step()
        hidden = records[~known]
        families = hidden["family"].copy()
        hidden["family"] = 0
        listed[new] = hidden
        self._step()
        listed["family"][new] = families
        self._step()
        rows = [self._routes[key] for key in _keys(records[known])]
        listed["next_hop"][rows] = records["next_hop"][known]

    def _unlist_routes(self, records: Records) -> None:
        rows = [self._routes.pop(key) for key in _keys(records) if key in self._routes]
        self._step()
        self.image.routes["family"][rows] = 0
        self._free_routes.extend(rows)

    def _new_route(self) -> int:
        if self._free_routes:
            return self._free_routes.pop()
        high = int(self.image.header["routes_high"][0])
        self.image.header["routes_high"] = high + 1
        return high

    def _parent(self, key: bytes) -> tuple[int, int]:
        """Slot and length of the longest route that covers a removed one; 0, 0 for none."""
        address = int.from_bytes(key[2:])
        for length in range(key[1] - 1, 0, -1):
            masked = address >> (128 - length) << (128 - length)
            index = self._routes.get(bytes((key[0], length)) + masked.to_bytes(16))
            if index is not None:
                return int(self.image.routes["next_hop"][index]), length
        return 0, 0

    def _read_routes(self) -> None:
        records = self.image.routes[: int(self.image.header["routes_high"][0])]
        used = records["family"] != 0
        rows = np.nonzero(used)[0].tolist()
        self._free_routes = np.nonzero(~used)[0].tolist()
        self._routes = dict(zip(_keys(records[used]), rows, strict=True))

    # -- next hops -----------------------------------------------------------------------------

    def set_next_hops(self, next_hops: Iterable[NextHop]) -> None:
        """Add or change next hops; a changed one keeps its slot, so its routes follow at once.

        Raises ImageFull; those that fitted are installed.
        """
        writes: list[_Write] = []
        full = ""
        generation = (self.image.generation + 2) & 0xFFFFFFFF
        high = int(self.image.header["next_hops_high"][0]) or 1
        for next_hop in next_hops:
            slot = self._slots.get(next_hop.id)
            if slot is None:
                slot, high = self._new_slot(high)
                if slot == 0:
                    full = f"cannot install next hop {next_hop.id}: all {NEXT_HOPS_MAX} are in use"
                    continue
                self._slots[next_hop.id] = slot
            writes.append(self._next_hop_write(slot, next_hop.to_record(generation)))
        if high != self.image.header["next_hops_high"][0]:
            writes.append(self._high_write(high))
        self._redo(writes)
        if full:
            raise ImageFull(full)

    def remove_next_hops(self, numbers: Iterable[int]) -> None:
        """Free next hops that no route names any more; unknown IDs are passed over."""
        slots = [self._slots.pop(number) for number in numbers if number in self._slots]
        empty = np.zeros((), NEXT_HOP).tobytes()
        self._redo([self._next_hop_write(slot, empty) for slot in slots])
        self._free_slots.extend(slots)

    def _new_slot(self, high: int) -> tuple[int, int]:
        """A free slot (0: none) and the new high-water mark."""
        if len(self._free_slots) > SPARE_SLOTS or (high == NEXT_HOPS_MAX and self._free_slots):
            return self._free_slots.popleft(), high
        return (high, high + 1) if high < NEXT_HOPS_MAX else (0, high)

    def _next_hop_write(self, slot: int, record: bytes) -> _Write:
        return _Write(self.image.offsets["next_hops"] + slot * NEXT_HOP.itemsize, record)

    def _high_write(self, value: int) -> _Write:
        return _Write(NEXT_HOPS_HIGH, np.array(value, np.uint32).tobytes())

    def _read_next_hops(self) -> None:
        high = int(self.image.header["next_hops_high"][0])
        for slot in range(1, high):
            record = self.image.next_hops[slot]
            if record["type"] == NextHopType.FREE:
                self._free_slots.append(slot)
            else:
                self._slots[int(record["id"])] = slot

    # -- ports and addresses -------------------------------------------------------------------

    def set_ports(self, ports: Mapping[int, Port], addresses: Iterable[Address]) -> None:
        """The ports by index and all own addresses; what is written is what differs."""
        table = np.zeros(PORTS_MAX, PORT)
        for index, port in ports.items():
            table[index] = np.frombuffer(port.to_record(), PORT)[0]
        own = np.zeros(ADDRESSES_MAX, ADDRESS)
        rows = [address.to_record() for address in addresses]
        full = len(rows) > ADDRESSES_MAX
        own[: len(rows)] = np.frombuffer(b"".join(rows), ADDRESS)[:ADDRESSES_MAX]
        self._redo(
            self._differing("ports", self.image.ports, table)
            + self._differing("addresses", self.image.addresses, own)
        )
        if full:
            raise ImageFull(f"cannot install {len(rows)} addresses: {ADDRESSES_MAX} at most")

    def _differing(self, name: str, have: Records, want: Records) -> list[_Write]:
        size = want.dtype.itemsize
        offset = self.image.offsets[name]
        return [
            _Write(offset + int(row) * size, want[row].tobytes())
            for row in np.nonzero(have != want)[0]
        ]

    # -- transactions of small tables ------------------------------------------------------------

    def _redo(self, writes: list[_Write]) -> None:
        while writes:
            count, used = 0, 0
            while count < len(writes):
                used += _SPAN.size + len(writes[count].octets)
                if used > REDO_MAX:
                    break
                count += 1
            self._redo_some(writes[:count])
            writes = writes[count:]

    def _redo_some(self, writes: list[_Write]) -> None:
        log = b"".join(_SPAN.pack(w.offset, len(w.octets)) + w.octets for w in writes)
        self._step()
        self.image.redo[: len(log)] = np.frombuffer(log, np.uint8)
        self.image.header["journal_count"] = len(log)
        self._step()
        self.image.header["journal_state"] = JournalState.REDO
        self._carry_out_redo()

    def _finish_redo(self) -> None:
        if self.image.header["journal_state"][0] == JournalState.REDO:
            self._carry_out_redo()

    def _carry_out_redo(self) -> None:
        """Copy what the log says to where it says, between two changes of the generation."""
        image = self.image
        log = image.redo[: int(image.header["journal_count"][0])].tobytes()
        self._step()
        image.header["generation"] = image.generation | 1
        at = 0
        while at < len(log):
            offset, length = _SPAN.unpack_from(log, at)
            at += _SPAN.size
            self._step()
            image.octets[offset : offset + length] = np.frombuffer(log[at : at + length], np.uint8)
            at += length
        self._step()
        image.header["generation"] = (image.generation | 1) + 1
        self._step()
        image.header["journal_state"] = JournalState.IDLE


def _keys(records: Records) -> list[bytes]:
    """The keys of rpd.proto."""
    octets = records.tobytes()
    return [octets[begin : begin + ROUTE_KEY] for begin in range(0, len(octets), ROUTE.itemsize)]


def _addresses(records: Records, family: int) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = records["address"]
    return found[:, : 4 if family == 4 else 16]


def _by_length(records: Records) -> dict[tuple[int, int], Records]:
    """Records by family and length."""
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    pairs = zip(records["family"].tolist(), records["length"].tolist(), strict=True)
    for index, pair in enumerate(pairs):
        groups[pair].append(index)
    return {pair: records[rows] for pair, rows in groups.items()}

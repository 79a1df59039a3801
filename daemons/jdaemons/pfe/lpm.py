"""Longest prefix match: a trie whose root takes 24 bits at once and every further level 8.

For IPv4 that is DIR-24-8: two reads at most. For IPv6 the same code goes on. All cells of a trie are
one flat column of u32: first the root's, then those of the groups, 256 each. A cell holds a next hop
slot (0: none, the default route applies) or, with POINTER set, the number of the group below. Routes
are pushed down to the leaves, so that a lookup ends at the first cell that is not a pointer.

One writer, any number of readers, no locks: a group is filled before the one store that points to it,
and every other change is one store a cell. `depths` (the length of the route that a cell came from)
belongs to the writer alone and makes every operation repeatable: an interrupted one is simply done
again. Freed groups wait in a queue before they are used again, so that a reader on its way into one
still finds what it held.

The root's width is a parameter so that tests can walk all of a small trie.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

POINTER: Final = 1 << 31
NUMBER: Final = POINTER - 1
FANOUT: Final = 256
QUARANTINE: Final = 1024
"""Freed groups that wait."""
CHUNK: Final = 1 << 20
"""Cells written in one step."""

Columns = NDArray[np.uint32]
Cells = NDArray[np.intp]
Octets = NDArray[np.uint8]


class TrieFull(Exception):
    """There is no group left; the route that needs one is not installed."""


@dataclass(frozen=True, slots=True)
class TrieSize:
    """Bits of the root (8, 16 or 24) and number of groups."""

    root_bits: int
    groups: int

    @property
    def columns(self) -> list[tuple[np.dtype[Any], int]]:
        """What `TrieArrays` is made of: cells, depths, owners."""
        cells = (1 << self.root_bits) + self.groups * FANOUT
        return [(np.dtype("u4"), cells), (np.dtype("u1"), cells), (np.dtype("u4"), self.groups)]


@dataclass(slots=True)
class TrieArrays:
    """A trie's columns, wherever they live; enough for readers."""

    size: TrieSize
    cells: Columns
    depths: Octets
    owners: Columns
    """For each group its parent cell + 1; 0: free."""
    default: Columns
    """One element: the default route's next hop."""
    high: Columns
    """One element: groups from here on have never been used."""

    def root_index(self, addresses: Octets) -> Cells:
        """The root cell of each row of address octets."""
        if self.size.root_bits == 24:
            # One read of four octets is faster than three of one; a copy puts them side by side.
            words = addresses[:, :4].copy().view(">u4")[:, 0]
            return words.astype(np.intp) >> 8
        index = addresses[:, 0].astype(np.intp)
        for column in range(1, self.size.root_bits // 8):
            index = index << 8 | addresses[:, column]
        return index

    def lookup(self, addresses: Octets) -> Columns:
        """The next hop slot of each address; `addresses` has a row of octets for each."""
        found: Columns = self.cells.take(self.root_index(addresses))
        level = self.size.root_bits // 8
        rows = np.flatnonzero(found >= POINTER)
        while len(rows):
            groups = (found[rows] & NUMBER).astype(np.intp)
            below = self._group_cells(groups) + addresses[rows, level]
            found[rows] = values = self.cells.take(below)
            rows = rows[values >= POINTER]
            level += 1
        if not found.all():
            found[found == 0] = self.default[0]
        return found

    def _group_cells(self, groups: Cells) -> Cells:
        return (1 << self.size.root_bits) + groups * FANOUT


def _nothing() -> None:
    pass


class TrieWriter:
    """The one writer of a trie. All routes of one call have the same length and differ."""

    def __init__(self, arrays: TrieArrays, step: Callable[[], None] = _nothing) -> None:
        """`step` is called before every store that readers or successors can see."""
        self._at = arrays
        self._step = step
        self._root = 1 << arrays.size.root_bits
        self._root_bits = arrays.size.root_bits
        self._free: deque[int] = deque()
        self._recover_groups()

    def insert(self, addresses: Octets, length: int, slots: Columns) -> None:
        """Install routes, or point installed ones to other next hops; raises TrieFull."""
        if length == 0:
            self._step()
            self._at.default[0] = slots[-1]
            return
        cells = self._descend(addresses, length, create=True)[0]
        first, count = self._range(cells, length)
        for begin, end in _chunks(len(first), count):
            spread = (first[begin:end, None] + np.arange(count)).ravel()
            self._paint(spread, np.repeat(slots[begin:end], count), length, np.uint8(length))

    def remove(
        self, addresses: Octets, length: int, parents: Columns, parent_lengths: Octets
    ) -> None:
        """Take routes away; `parents` are the slots of the next shorter routes, 0 for none."""
        if length == 0:
            self._step()
            self._at.default[0] = 0
            return
        cells, rows, path = self._descend(addresses, length, create=False)
        first, count = self._range(cells, length)
        slots, depths = parents[rows], parent_lengths[rows]
        for begin, end in _chunks(len(first), count):
            spread = (first[begin:end, None] + np.arange(count)).ravel()
            self._paint(
                spread,
                np.repeat(slots[begin:end], count),
                length,
                np.repeat(depths[begin:end], count),
                exact=True,
            )
        for level, groups in reversed(path):
            self._collapse(groups, self._root_bits + 8 * level)

    def _range(self, cells: Cells, length: int) -> tuple[Cells, int]:
        """The first cell and the number of cells that routes cover in their last group."""
        above = length - self._root_bits
        spare = -above if above <= 0 else -above % 8
        return cells >> spare << spare, 1 << spare

    def _descend(
        self, addresses: Octets, length: int, *, create: bool
    ) -> tuple[Cells, Cells, list[tuple[int, Cells]]]:
        """The cell of each route in the group where it ends, walking level by level.

        Without `create`, rows whose way ends early are left out. Returns cells, their rows, and the
        groups passed at each level.
        """
        rows = np.arange(len(addresses))
        cells = self._at.root_index(addresses)
        path: list[tuple[int, Cells]] = []
        for level in range(max(0, -(-(length - self._root_bits) // 8))):
            if create:
                self._make_groups(cells)
            values = self._at.cells[cells]
            down = values >= POINTER
            rows, groups = rows[down], (values[down] & NUMBER).astype(np.intp)
            path.append((level, np.unique(groups)))
            octets = addresses[rows, self._root_bits // 8 + level]
            cells = self._root + groups * FANOUT + octets
        return cells, rows, path

    def _make_groups(self, cells: Cells) -> None:
        """Put a group, filled with what the cell holds, below every cell that has none."""
        bare = np.unique(cells[self._at.cells[cells] < POINTER])
        if not len(bare):
            return
        groups = self._allocate(len(bare))
        inside = (self._root + groups * FANOUT)[:, None] + np.arange(FANOUT)
        self._step()
        self._at.owners[groups] = bare + 1
        self._step()
        self._at.cells[inside] = self._at.cells[bare][:, None]
        self._step()
        self._at.depths[inside] = self._at.depths[bare][:, None]
        self._step()
        self._at.cells[bare] = groups.astype(np.uint32) | np.uint32(POINTER)

    def _paint(
        self,
        cells: Cells,
        slots: Columns,
        length: int,
        depths: np.uint8 | Octets,
        *,
        exact: bool = False,
    ) -> None:
        """Write into those cells, and all below, that no longer route holds."""
        columns = np.broadcast_to(depths, slots.shape)
        while len(cells):
            values, known = self._at.cells[cells], self._at.depths[cells]
            pointer = values >= POINTER
            ours = (known == length) if exact else (known <= length)
            chosen = ~pointer & ours
            self._step()
            self._at.cells[cells[chosen]] = slots[chosen]
            self._step()
            self._at.depths[cells[chosen]] = columns[chosen]
            if not pointer.any():
                return
            groups = (values[pointer] & NUMBER).astype(np.intp)
            cells = ((self._root + groups * FANOUT)[:, None] + np.arange(FANOUT)).ravel()
            slots = np.repeat(slots[pointer], FANOUT)
            columns = np.repeat(columns[pointer], FANOUT)

    def _collapse(self, groups: Cells, base: int) -> None:
        """Replace groups that hold nothing longer than `base` bits by what they hold."""
        inside = (self._root + groups * FANOUT)[:, None] + np.arange(FANOUT)
        values, depths = self._at.cells[inside], self._at.depths[inside]
        gone = ((values < POINTER) & (depths <= base)).all(axis=1)
        if not gone.any():
            return
        groups, values, depths = groups[gone], values[gone, 0], depths[gone, 0]
        parents = self._at.owners[groups].astype(np.intp) - 1
        self._step()
        self._at.depths[parents] = depths
        self._step()
        self._at.cells[parents] = values
        self._step()
        self._at.owners[groups] = 0
        self._free.extend(groups.tolist())

    def _allocate(self, count: int) -> Cells:
        groups: list[int] = []
        high = int(self._at.high[0])
        while len(groups) < count:
            if len(self._free) > QUARANTINE or (high == self._at.size.groups and self._free):
                groups.append(self._free.popleft())
            elif high < self._at.size.groups:
                groups.append(high)
                high += 1
            else:
                self._free.extendleft(groups)
                raise TrieFull(f"cannot install a route: all {high} groups of the trie are in use")
        self._step()
        self._at.high[0] = high
        return np.array(groups, np.intp)

    def _recover_groups(self) -> None:
        """Free what a predecessor took but never pointed to."""
        owners = self._at.owners[: int(self._at.high[0])]
        taken = np.nonzero(owners)[0]
        pointers = self._at.cells[owners[taken].astype(np.intp) - 1]
        lost = taken[pointers != (taken.astype(np.uint32) | np.uint32(POINTER))]
        owners[lost] = 0
        self._free.extend(np.nonzero(owners == 0)[0].tolist())


def _chunks(routes: int, cells: int) -> list[tuple[int, int]]:
    """Slices of the routes such that none covers too many cells at once."""
    most = max(1, CHUNK // cells)
    return [(begin, min(begin + most, routes)) for begin in range(0, routes, most)]

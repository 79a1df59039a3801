"""The forwarding image: where everything stands in the one memory file that pfectl writes.

The file is sparse: what no route touches costs nothing. It is sized for a full table and mapped whole;
pfectl's mapping is writable, the engine's is not.

    header      magic, version, generation, default routes, journal state
    ports       one record for each port of this FPC, by its index
    addresses   the router's own addresses, each with the port it belongs to
    next hops   one record for each slot; 0 is no next hop
    redo        what a transaction of small tables writes, kept until it is done
    journal     the route operations of the transaction in progress
    routes      the route list: what is installed
    trie 4, 6   see `lpm`
"""

from __future__ import annotations

import mmap
import os
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.lpm import TrieArrays, TrieSize

MAGIC: Final = 0x4A534650
VERSION: Final = 1

PORTS_MAX: Final = 256
ADDRESSES_MAX: Final = 1024
NEXT_HOPS_MAX: Final = 65536
ROUTES_MAX: Final = 1 << 21
JOURNAL_MAX: Final = 16384
REDO_MAX: Final = 1 << 20

HEADER: Final = np.dtype(
    [
        ("magic", "u4"),
        ("version", "u4"),
        ("generation", "u8"),
        ("journal_state", "u4"),
        ("journal_count", "u4"),
        ("default4", "u4"),
        ("default6", "u4"),
        ("next_hops_high", "u4"),
        ("routes_high", "u4"),
        ("high4", "u4"),
        ("high6", "u4"),
    ]
)
NEXT_HOPS_HIGH: Final = 32
"""Where that field stands in the header."""
PORT: Final = np.dtype(
    [
        ("used", "u1"),
        ("up", "u1"),
        ("mac", "u1", 6),
        ("mtu", "u4"),
        ("name", "S20"),
    ]
)
ADDRESS: Final = np.dtype(
    [
        ("family", "u1"),
        ("prefix_length", "u1"),
        ("port", "u2"),
        ("address", "u1", 16),
    ]
)
NEXT_HOP: Final = np.dtype(
    [
        ("id", "u4"),
        ("type", "u1"),
        ("family", "u1"),
        ("fpc", "u2"),
        ("port", "u2"),
        ("reserved", "u2"),
        ("generation", "u4"),
        ("gateway", "u1", 16),
        ("interface", "S32"),
    ]
)
ROUTE: Final = np.dtype(
    [
        ("family", "u1"),
        ("length", "u1"),
        ("address", "u1", 16),
        ("reserved", "u2"),
        ("next_hop", "u4"),
    ]
)
"""The first 18 octets are the key of rpd.proto. `family` 0: free. `next_hop` is a slot."""
ROUTE_KEY: Final = 18


class JournalState(IntEnum):
    """What a successor finds unfinished."""

    IDLE = 0
    ROUTES = 1
    REDO = 2


class NextHopType(IntEnum):
    """As in rpd.proto; 0 is a free slot."""

    FREE = 0
    UNICAST = 1
    RESOLVE = 2
    LOCAL = 3
    DISCARD = 4
    REJECT = 5


_Span = tuple[np.dtype[Any], int, int]


class ImageError(Exception):
    """The memory file is not an image of this version; whoever meets it makes a new one."""


class Sizes:
    """How big the tables are; tests use small ones."""

    def __init__(
        self,
        root_bits: int = 24,
        groups4: int = 1 << 16,
        groups6: int = 1 << 18,
        routes: int = ROUTES_MAX,
    ) -> None:
        self.trie4 = TrieSize(root_bits, groups4)
        self.trie6 = TrieSize(root_bits, groups6)
        self.routes = routes


class Image:
    """Numpy views of a mapped image."""

    def __init__(self, fd: int, *, writable: bool, sizes: Sizes | None = None) -> None:
        """Map the file, growing an empty one; `fd` stays the caller's. Raises ImageError."""
        sizes = sizes or Sizes()
        self.sizes = sizes
        plan = _Plan()
        spans = {
            "header": plan.take(HEADER, 1),
            "ports": plan.take(PORT, PORTS_MAX),
            "addresses": plan.take(ADDRESS, ADDRESSES_MAX),
            "next_hops": plan.take(NEXT_HOP, NEXT_HOPS_MAX),
            "redo": plan.take(np.dtype("u1"), REDO_MAX),
            "journal": plan.take(ROUTE, JOURNAL_MAX),
            "routes": plan.take(ROUTE, sizes.routes),
        }
        tries = {
            name: [plan.take(dtype, count) for dtype, count in size.columns]
            for name, size in (("trie4", sizes.trie4), ("trie6", sizes.trie6))
        }
        self.size: Final = plan.offset
        self.map: Final = _map(fd, self.size, writable)
        self._check(writable, spans["header"])
        self.header = self._view(spans["header"])
        self.ports = self._view(spans["ports"])
        self.addresses = self._view(spans["addresses"])
        self.next_hops = self._view(spans["next_hops"])
        self.redo = self._view(spans["redo"])
        self.journal = self._view(spans["journal"])
        self.routes = self._view(spans["routes"])
        self.octets = np.frombuffer(self.map, np.uint8)
        self.offsets: Final = {name: offset for name, (_, offset, _) in spans.items()}
        self.trie4 = self._trie(sizes.trie4, tries["trie4"], "4")
        self.trie6 = self._trie(sizes.trie6, tries["trie6"], "6")

    def _trie(self, size: TrieSize, spans: list[_Span], suffix: str) -> TrieArrays:
        cells, depths, owners = (self._view(span) for span in spans)
        default, high = self.header[f"default{suffix}"], self.header[f"high{suffix}"]
        return TrieArrays(size, cells, depths, owners, default, high)

    def trie(self, family: int) -> TrieArrays:
        """The trie of family 4 or 6."""
        return self.trie4 if family == 4 else self.trie6

    @property
    def generation(self) -> int:
        """Changes with every transaction of the small tables; odd while one is in progress."""
        return int(self.header["generation"][0])

    def _view(self, span: _Span) -> NDArray[Any]:
        dtype, offset, count = span
        return np.frombuffer(self.map, dtype, count, offset)

    def _check(self, writable: bool, span: _Span) -> None:
        header = self._view(span)
        if header["magic"][0] == 0:
            if writable:
                header["version"] = VERSION
                header["magic"] = MAGIC
            return
        if (header["magic"][0], header["version"][0]) != (MAGIC, VERSION):
            raise ImageError(f"cannot use an image of version {header['version'][0]}")


class _Plan:
    """Hands out page-aligned spans of the file."""

    def __init__(self) -> None:
        self.offset = 0

    def take(self, dtype: np.dtype[Any], count: int) -> _Span:
        start = self.offset
        octets = dtype.itemsize * count
        self.offset += -(-octets // mmap.PAGESIZE) * mmap.PAGESIZE
        return dtype, start, count


def _map(fd: int, size: int, writable: bool) -> mmap.mmap:
    have = os.fstat(fd).st_size
    if have == 0:
        os.ftruncate(fd, size)
    elif have != size:
        raise ImageError(f"cannot use an image of {have} bytes: this version has {size}")
    protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
    return mmap.mmap(fd, size, mmap.MAP_SHARED, protection)

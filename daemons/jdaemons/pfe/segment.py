"""The engine's own memory: counters, links, neighbours, and the batch that is being worked on.

The engine is the only writer, pfectl reads. It outlives the engine in init's descriptor store, so that a
successor still knows its neighbours, goes on counting, and finds the frames its predecessor had taken
from a socket but not sent: received frames lie in here, not in private memory.
"""

from __future__ import annotations

import mmap
import os
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.layout import NEXT_HOPS_MAX, PORTS_MAX, ImageError

MAGIC: Final = 0x4A535347
VERSION: Final = 1
BATCH: Final = 256
"""Frames in a batch."""
SLOT: Final = 2048
"""Octets kept for a frame; a longer one is dropped."""
NEIGHBOURS_MAX: Final = 4096
LOG_LINES: Final = 64
FABRIC_ROW: Final = PORTS_MAX
"""The row of links that stands for the fabric; its drops are those of the engine."""

HEADER: Final = np.dtype(
    [
        ("magic", "u4"),
        ("version", "u4"),
        ("log_count", "u8"),
    ]
)
GUARD: Final = np.dtype([("row", "i4"), ("count", "u4"), ("attempt", "u4"), ("cursor", "u4")])
"""`attempt` 0: no batch; `count` 0: the batch was still being received."""
LINK: Final = np.dtype(
    [
        ("name", "S20"),
        ("used", "u1"),
        ("up", "u1"),
        ("error", "S200"),
        ("input_packets", "u8"),
        ("input_bytes", "u8"),
        ("output_packets", "u8"),
        ("output_bytes", "u8"),
    ]
)
NEIGHBOUR: Final = np.dtype(
    [
        ("family", "u1"),
        ("port", "u2"),
        ("mac", "u1", 6),
        ("address", "u1", 16),
        ("confirmed_ns", "i8"),
    ]
)
"""`family` 0: free."""
MESSAGE: Final = np.dtype(
    {
        "names": ["iov", "iov_length", "flags", "length"],
        "formats": ["u8", "u8", "i4", "u4"],
        "offsets": [16, 24, 48, 56],
        "itemsize": 64,
    }
)
"""struct mmsghdr of 64-bit Linux."""
LOG_LINE: Final = 512


class Drop(IntEnum):
    """Why a packet went no further."""

    RUNT = 0
    OVERSIZE = 1
    NOT_FOR_US = 2
    UNKNOWN_PROTOCOL = 3
    NO_INTERFACE = 4
    BAD_HEADER = 5
    BAD_CHECKSUM = 6
    MARTIAN = 7
    MULTICAST = 8
    TTL_EXPIRED = 9
    NO_ROUTE = 10
    DISCARD_ROUTE = 11
    REJECT_ROUTE = 12
    UNRESOLVED = 13
    QUEUE_FULL = 14
    LINK_DOWN = 15
    TOO_BIG = 16
    LOCAL = 17
    BAD_NEIGHBOUR = 18
    FABRIC = 19
    POISON = 20
    OUTPUT_FULL = 21

    @property
    def label(self) -> str:
        """As counters and commands spell it."""
        return self.name.lower().replace("_", "-")


DROPS_MAX: Final = 32


class Segment:
    """Numpy views of the mapped memory."""

    def __init__(self, fd: int, *, writable: bool) -> None:
        """Map the file, growing an empty one; `fd` stays the caller's. Raises ImageError."""
        counts: dict[str, tuple[np.dtype[Any], int]] = {
            "header": (HEADER, 1),
            "guard": (GUARD, 1),
            "links": (LINK, PORTS_MAX + 1),
            "drops": (np.dtype("u8"), (PORTS_MAX + 1) * DROPS_MAX),
            "next_hop_packets": (np.dtype("u8"), NEXT_HOPS_MAX),
            "next_hop_bytes": (np.dtype("u8"), NEXT_HOPS_MAX),
            "neighbours": (NEIGHBOUR, NEIGHBOURS_MAX),
            "log": (np.dtype(("S", LOG_LINE)), LOG_LINES),
            "messages": (MESSAGE, BATCH),
            "frames": (np.dtype("u1"), BATCH * SLOT),
        }
        offsets, size = _place(counts)
        self._map = _map(fd, size, writable)
        views = {
            name: np.frombuffer(self._map, dtype, count, offsets[name])
            for name, (dtype, count) in counts.items()
        }
        self.header: NDArray[Any] = views["header"]
        self.guard: NDArray[Any] = views["guard"]
        self.links: NDArray[Any] = views["links"]
        self.drops: NDArray[np.uint64] = views["drops"].reshape(-1, DROPS_MAX)
        self.next_hop_packets: NDArray[np.uint64] = views["next_hop_packets"]
        self.next_hop_bytes: NDArray[np.uint64] = views["next_hop_bytes"]
        self.neighbours: NDArray[Any] = views["neighbours"]
        self.log: NDArray[np.bytes_] = views["log"]
        self.messages: NDArray[Any] = views["messages"]
        self.frames: NDArray[np.uint8] = views["frames"].reshape(BATCH, SLOT)
        self._check(writable)

    def _check(self, writable: bool) -> None:
        if self.header["magic"][0] == 0:
            if writable:
                self.header["version"] = VERSION
                self.header["magic"] = MAGIC
        elif (self.header["magic"][0], self.header["version"][0]) != (MAGIC, VERSION):
            raise ImageError(f"cannot use a segment of version {self.header['version'][0]}")

    def append_log(self, line: str) -> None:
        """Add a line to the ring, cut to its width."""
        count = int(self.header["log_count"][0])
        self.log[count % LOG_LINES] = line.encode(errors="replace")[:LOG_LINE]
        self.header["log_count"] = count + 1

    def log_since(self, count: int) -> tuple[list[str], int]:
        """The lines after the first `count` that are still there, and how many there were so far."""
        now = int(self.header["log_count"][0])
        first = max(count, now - LOG_LINES)
        return [bytes(self.log[i % LOG_LINES]).decode() for i in range(first, now)], now


def _place(counts: dict[str, tuple[np.dtype[Any], int]]) -> tuple[dict[str, int], int]:
    """Page-aligned offsets, and the size of all."""
    offsets, offset = {}, 0
    for name, (dtype, count) in counts.items():
        offsets[name] = offset
        offset += -(-dtype.itemsize * count // mmap.PAGESIZE) * mmap.PAGESIZE
    return offsets, offset


def _map(fd: int, size: int, writable: bool) -> mmap.mmap:
    have = os.fstat(fd).st_size
    if have == 0:
        os.ftruncate(fd, size)
    elif have != size:
        raise ImageError(f"cannot use a segment of {have} bytes: this version has {size}")
    protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
    return mmap.mmap(fd, size, mmap.MAP_SHARED, protection)

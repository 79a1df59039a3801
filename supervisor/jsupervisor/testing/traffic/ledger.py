"""Counters and arrival times of one host, in memory that the host and its starter both map.

The time of every counted packet's first arrival is kept under its sequence number (8 bytes each, in
a memory file that takes space only where it is written), so that loss and gaps can be had for any
window of time afterwards and nothing has to be asked of a busy host. Each word has one writer.
"""

from __future__ import annotations

import math
import mmap
import os
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from jsupervisor.testing.traffic.flows import Flow, HostPlan

WORD: Final = 8


class Word(IntEnum):
    """Words of the host as a whole. The starter writes the first two, the host the rest."""

    START_NS = 0
    """When to begin to send; 0: not yet."""
    STOP_NS = 1
    """From when on nothing more is due; 0: never."""
    ATTACHED = 2
    """1 while the link to the router stands."""
    RESOLVED = 3
    """1 once the MAC of every gateway is known."""
    ATTACHMENTS = 4
    """How often the link was established."""
    BLOCKED_NS = 5
    """How long the link took no frame that was due (back-pressure, or no link)."""
    SOCKET_DROPPED = 6
    """Frames that the kernel dropped at this host's own socket."""
    FRAMES_IN = 7
    UNKNOWN = 8
    """Frames that were neither ours nor ARP or neighbour discovery."""


class Sent(IntEnum):
    """Words of a flow that the host sends."""

    SENT = 0
    DELAYED = 1
    """Packets that left late because the link took nothing when they were due."""


class Received(IntEnum):
    """Words of a flow that the host counts; the arrival times follow."""

    RECEIVED = 0
    """Different packets."""
    DUPLICATES = 1
    REORDERED = 2
    """Packets that came after one with a higher sequence number."""
    NEXT = 3
    """One more than the highest sequence number seen."""
    BEYOND = 4
    """Packets with a sequence number for which the ledger has no room."""


def capacity(flow: Flow, seconds: int) -> int:
    """How many packets of `flow` a ledger for so many seconds has room for."""
    return math.ceil(flow.rate * seconds) + 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the words of each flow begin, by flow number; sizes in words."""

    sends: dict[int, int]
    counts: dict[int, int]
    size: int

    @classmethod
    def of(cls, plan: HostPlan) -> Layout:
        """The layout that both sides work out from the plan."""
        at = len(Word)
        sends, counts = {}, {}
        for flow in plan.sends:
            sends[flow.number] = at
            at += len(Sent)
        for flow in plan.counts:
            counts[flow.number] = at
            at += len(Received) + capacity(flow, plan.seconds)
        return cls(sends, counts, at)


class Ledger:
    """One host's ledger, mapped."""

    def __init__(self, plan: HostPlan, fd: int) -> None:
        """Map the memory file `fd`, which becomes this ledger's own; raises OSError."""
        self.fd: Final = fd
        self._layout = Layout.of(plan)
        self._map = mmap.mmap(fd, self._layout.size * WORD)
        self._words = memoryview(self._map).cast("Q")
        self._capacity = {flow.number: capacity(flow, plan.seconds) for flow in plan.counts}

    @classmethod
    def create(cls, plan: HostPlan) -> Ledger:
        """A new ledger, all zero; raises OSError."""
        fd = os.memfd_create(f"jsup-ledger-{plan.name}", os.MFD_CLOEXEC)
        os.ftruncate(fd, Layout.of(plan).size * WORD)
        return cls(plan, fd)

    def __getitem__(self, word: Word) -> int:
        return self._words[word]

    def __setitem__(self, word: Word, value: int) -> None:
        self._words[word] = value

    def sent(self, flow: int, word: Sent) -> int:
        """A word of a flow that the host sends."""
        return self._words[self._layout.sends[flow] + word]

    def add_sent(self, flow: int, word: Sent, count: int) -> None:
        """Add to it; for the host."""
        self._words[self._layout.sends[flow] + word] += count

    def received(self, flow: int, word: Received) -> int:
        """A word of a flow that the host counts."""
        return self._words[self._layout.counts[flow] + word]

    def note(self, flow: int, sequence: int, now: int) -> bool:
        """Enter the arrival of a packet; False when the flow is not one that this host counts."""
        at = self._layout.counts.get(flow)
        if at is None:
            return False
        words = self._words
        if sequence >= self._capacity[flow]:
            words[at + Received.BEYOND] += 1
            return True
        if words[at + len(Received) + sequence]:
            words[at + Received.DUPLICATES] += 1
            return True
        words[at + len(Received) + sequence] = now
        words[at + Received.RECEIVED] += 1
        if sequence < words[at + Received.NEXT]:
            words[at + Received.REORDERED] += 1
        else:
            words[at + Received.NEXT] = sequence + 1
        return True

    def arrivals(self, flow: int, window: range) -> list[int]:
        """When each packet of the window arrived first, in ns; 0 for those that did not.

        Raises ValueError when the window reaches beyond what the ledger has room for.
        """
        if window.stop > self._capacity[flow]:
            raise ValueError(
                f"cannot tell about packet {window.stop - 1} of flow {flow}:"
                f" the ledger ends at {self._capacity[flow]}; plan for more seconds"
            )
        at = self._layout.counts[flow] + len(Received)
        return self._words[at + window.start : at + window.stop].tolist()

    def close(self) -> None:
        """Unmap and close the memory file."""
        self._words.release()
        self._map.close()
        os.close(self.fd)

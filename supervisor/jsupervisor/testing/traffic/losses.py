"""Packets lost, gaps and outages of a window of traffic, out of arrival times. Pure.

RFC 6201 section 4 gives two methods for the time that forwarding was out, and both are reported:
packets lost divided by the rate, and the time between the last packet before and the first after.
The first sees loss and no delay, the second sees both; a gap cannot be told below the interval at
which a flow's packets are sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time without a packet of the flow."""

    length_ns: int
    begin_ns: int
    """CLOCK_MONOTONIC at its beginning; 0 when nothing arrived at all."""


@dataclass(frozen=True, slots=True)
class FlowLoss:
    """One flow in one window."""

    flow: int
    offered: int
    lost: int
    gap: Gap


@dataclass(frozen=True, slots=True)
class Loss:
    """All flows in one window."""

    flows: tuple[FlowLoss, ...]
    rate: float
    """Packets per second, of all flows together."""

    @property
    def offered(self) -> int:
        """Packets that were due in the window."""
        return sum(flow.offered for flow in self.flows)

    @property
    def lost(self) -> int:
        """Packets of the window that never arrived."""
        return sum(flow.lost for flow in self.flows)

    @property
    def outage_ms_by_loss(self) -> float:
        """RFC 6201's frame-loss method: lost / offered rate."""
        return self.lost / self.rate * 1000 if self.rate else 0.0

    @property
    def outage_ms_by_gap(self) -> float:
        """RFC 6201's timestamp method: the longest gap of the flow that has the longest."""
        return max((flow.gap.length_ns for flow in self.flows), default=0) / MS_NS


def count_lost(arrivals: Sequence[int]) -> int:
    """How many packets of the window did not arrive."""
    return sum(1 for time in arrivals if time == 0)


def longest_gap(arrivals: Iterable[int], begin_ns: int, end_ns: int) -> Gap:
    """The longest time between two arrivals that follow each other.

    The window's ends bound the search only where nothing arrived before or after, so that a flow
    that fell silent for good shows a gap up to the end.
    """
    times = sorted(time for time in arrivals if time)
    if not times:
        return Gap(max(0, end_ns - begin_ns), 0)
    gap = Gap(max(0, end_ns - times[-1]), times[-1])
    for before, after in pairwise(times):
        if after - before > gap.length_ns:
            gap = Gap(after - before, before)
    return gap


def flow_loss(flow: int, arrivals: Sequence[int], begin_ns: int, end_ns: int) -> FlowLoss:
    """One flow's account of the packets that were due in begin <= t < end."""
    gap = longest_gap(arrivals, begin_ns, end_ns) if arrivals else Gap(0, 0)
    return FlowLoss(flow, len(arrivals), count_lost(arrivals), gap)

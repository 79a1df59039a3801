"""A test host's side of ARP (RFC 826) and neighbour discovery (RFC 4861). Pure.

It answers for its own addresses and learns the gateways it is asked to resolve, again and again as
real hosts do not need to: a router's MAC may change when its port comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from jsupervisor.testing.traffic import frames

RETRY_NS: Final = 100_000_000


class Neighbours:
    """What one host says and knows about its link."""

    def __init__(self, own_mac: bytes, own: Iterable[bytes], wanted: Iterable[bytes]) -> None:
        """`own` are the host's addresses, `wanted` those whose MAC it needs."""
        self._mac = own_mac
        self._own = frozenset(own)
        self._wanted = tuple(wanted)
        self._next_ask_ns = 0
        self.known: dict[bytes, bytes] = {}
        """MAC by address."""

    @property
    def complete(self) -> bool:
        """Is every wanted address resolved?"""
        return all(address in self.known for address in self._wanted)

    def ask(self, now: int) -> list[bytes]:
        """Frames to send now for what is not resolved yet; at most one round in 100 ms."""
        if self.complete or now < self._next_ask_ns:
            return []
        self._next_ask_ns = now + RETRY_NS
        return [self._question(wanted) for wanted in self._wanted if wanted not in self.known]

    def handle(self, frame: frames.Arp | frames.Neighbour) -> list[bytes]:
        """Learn from a frame; return the answers it calls for."""
        if isinstance(frame, frames.Arp):
            return self._handle_arp(frame)
        return self._handle_neighbour(frame)

    def _question(self, wanted: bytes) -> bytes:
        own = self._source(wanted)
        if len(wanted) == 16:
            return frames.solicit(self._mac, own, wanted)
        return frames.arp(frames.Arp(1, self._mac, own, b"\0" * 6, wanted), frames.BROADCAST)

    def _source(self, wanted: bytes) -> bytes:
        """The own address of that family that has most leading bits in common with `wanted`."""
        same = [own for own in self._own if len(own) == len(wanted)]
        if not same:
            return b"\0" * len(wanted)
        target = int.from_bytes(wanted)
        return min(same, key=lambda own: int.from_bytes(own) ^ target)

    def _learn(self, address: bytes, mac: bytes) -> None:
        if address in self._wanted:
            self.known[address] = mac

    def _handle_arp(self, frame: frames.Arp) -> list[bytes]:
        self._learn(frame.sender, frame.sender_mac)
        if frame.operation != 1 or frame.target not in self._own:
            return []
        answer = frames.Arp(2, self._mac, frame.target, frame.sender_mac, frame.sender)
        return [frames.arp(answer, frame.sender_mac)]

    def _handle_neighbour(self, frame: frames.Neighbour) -> list[bytes]:
        if frame.advert:
            if frame.link_address is not None:
                self._learn(frame.target, frame.link_address)
            return []
        if frame.link_address is None or frame.target not in self._own:
            return []
        self._learn(frame.source, frame.link_address)
        return [frames.advertise(self._mac, frame.link_address, frame.target, frame.source)]

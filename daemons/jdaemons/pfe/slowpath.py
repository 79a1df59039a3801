"""Packets one at a time: everything the vector path punts.

Here every rule about odd packets is applied: ARP and neighbour discovery, the router's own addresses,
ICMP errors, options, fragments that are too big, destinations whose neighbour is not known yet. Time
comes in as an argument and everything that leaves goes through `Outlet`, so that tests need no socket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from jdaemons.pfe import icmp
from jdaemons.pfe import packets as p
from jdaemons.pfe.adjacency import Adjacencies
from jdaemons.pfe.checksum import checksum, transport_checksum
from jdaemons.pfe.interfaces import Interface, Interfaces, is_link_local
from jdaemons.pfe.layout import Image, NextHopType
from jdaemons.pfe.limits import TokenBucket
from jdaemons.pfe.neighbors import (
    Ask,
    Command,
    Learned,
    Lost,
    Neighbours,
    Refused,
    Unreachable,
)
from jdaemons.pfe.segment import NEIGHBOURS_MAX, Drop
from jdaemons.pfe.values import NextHop

ERRORS_PER_SECOND: Final = 1000
ERRORS_AT_ONCE: Final = 100


class Outlet(Protocol):
    """What the slow path may do to the world."""

    def send(self, port: int, frame: bytes, slot: int) -> None:
        """Transmit on the port with that index; `slot` is the next hop, 0 for none."""

    def hand_over(self, fpc: int, frame: bytes, slot: int) -> None:
        """Give a routed packet, in the fabric's frame, to the engine of another FPC."""

    def drop(self, reason: Drop, port: Interface | None) -> None:
        """Count a packet that goes no further; None stands for the fabric or the engine."""

    def neighbour_changed(self, port: int, address: bytes, mac: bytes | None) -> None:
        """A neighbour is known, changed, or is gone (None)."""


class SlowPath:
    """One engine's."""

    def __init__(self, image: Image, adjacencies: Adjacencies, outlet: Outlet) -> None:
        self.neighbours = Neighbours(NEIGHBOURS_MAX)
        self.interfaces = Interfaces()
        self._image = image
        self._at = adjacencies
        self._out = outlet
        self._errors = TokenBucket(ERRORS_PER_SECOND, ERRORS_AT_ONCE)
        self._now = 0

    # -- in ----------------------------------------------------------------------------------------

    def from_port(self, frame: bytes, port: Interface, now: int) -> None:
        """A frame from a port, as it came."""
        self._now = now
        if len(frame) < p.ETH_HEADER:
            self._out.drop(Drop.RUNT, port)
            return
        if not frame[0] & 1 and frame[:6] != port.mac:
            self._out.drop(Drop.NOT_FOR_US, port)
            return
        match int.from_bytes(frame[12:14]):
            case p.ETH_ARP:
                self._arp(frame[p.ETH_HEADER :], port)
            case p.ETH_IPV4:
                self._ipv4(frame, port)
            case p.ETH_IPV6:
                self._ipv6(frame, port)
            case _:
                self._out.drop(Drop.UNKNOWN_PROTOCOL, port)

    def from_fabric(self, frame: bytes, now: int) -> None:
        """A packet that another FPC's engine has routed but this vector path could not send."""
        self._now = now
        slot = self._at.slots.get(int.from_bytes(frame[:4]), 0)
        next_hop = self._at.next_hops.get(slot)
        if next_hop is None or next_hop.fpc != self._at.fpc:
            self._out.drop(Drop.FABRIC, None)
            return
        self._towards(next_hop, slot, frame[p.ETH_HEADER :], None)

    def tick(self, now: int) -> None:
        """Whatever is due."""
        self._now = now
        self._carry_out(self.neighbours.tick(now))

    def port_down(self, index: int, now: int) -> None:
        """Forget who was there."""
        self._now = now
        self._carry_out(self.neighbours.forget_port(index))

    # -- neighbours --------------------------------------------------------------------------------

    def _arp(self, payload: bytes, port: Interface) -> None:
        arp = p.parse_arp(payload)
        if arp is None or arp.sender_mac == port.mac:
            self._out.drop(Drop.BAD_NEIGHBOUR, port)
            return
        asked = arp.operation == 1 and arp.target != arp.sender and port.owns(arp.target)
        if port.on_link(arp.sender) and arp.sender not in self.interfaces.own:
            self._heard(port, arp.sender, arp.sender_mac, create=asked)
        if asked:
            answer = p.Arp(2, port.mac, arp.target, arp.sender_mac, arp.sender)
            self._out.send(port.index, p.build_arp(answer, arp.sender_mac), 0)

    def _discovery(self, packet: bytes, port: Interface) -> None:
        message = p.parse_discovery(packet)
        if message is None:
            self._out.drop(Drop.BAD_NEIGHBOUR, port)
        elif message.advertisement:
            if message.mac is not None and message.target not in self.interfaces.own:
                self._heard(port, message.target, message.mac, create=False)
        elif port.owns(message.target):
            mac = message.mac or self.neighbours.mac(port.index, message.source)
            if message.mac is not None and port.on_link(message.source):
                self._heard(port, message.source, message.mac, create=True)
            if mac is not None or message.source == p.UNSPECIFIED6:
                answer = p.advertise(port.mac, message.target, mac or b"", message.source)
                self._out.send(port.index, answer, 0)

    def _heard(self, port: Interface, address: bytes, mac: bytes, *, create: bool) -> None:
        commands = self.neighbours.heard(port.index, address, mac, self._now, create=create)
        self._carry_out(commands)

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Ask(port, address, mac):
                    self._ask(port, address, mac)
                case Learned(port, address, mac, waited):
                    self._out.neighbour_changed(port, address, mac)
                    for slot, packet in waited:
                        self._transmit(port, mac, packet, slot)
                case Lost(port, address):
                    self._out.neighbour_changed(port, address, None)
                case Unreachable(_, _, waited):
                    for _, packet in waited:
                        self._out.drop(Drop.UNRESOLVED, None)
                        self._error(packet, icmp.HOST_UNREACHABLE, None)
                case Refused():
                    self._out.drop(Drop.QUEUE_FULL, None)

    def _ask(self, index: int, address: bytes, mac: bytes | None) -> None:
        port = self.interfaces.by_index.get(index)
        source = port.source_for(address) if port else None
        if port is None or source is None:
            return
        if len(address) == 4:
            question = p.Arp(1, port.mac, source, bytes(6), address)
            self._out.send(index, p.build_arp(question, mac or p.BROADCAST), 0)
        else:
            self._out.send(index, p.solicit(port.mac, source, address, mac), 0)

    # -- IPv4 ----------------------------------------------------------------------------------------

    def _ipv4(self, frame: bytes, port: Interface) -> None:
        packet = frame[p.ETH_HEADER :]
        reason = _bad_ipv4(packet)
        if reason is not None:
            self._out.drop(reason, port)
            return
        packet = packet[: int.from_bytes(packet[2:4])]
        destination = packet[16:20]
        if destination in self.interfaces.own:
            self._local4(packet, port)
        elif destination[0] >= 224 or frame[0] & 1:
            self._out.drop(Drop.MULTICAST, port)
        elif destination[0] in (0, 127):
            self._out.drop(Drop.MARTIAN, port)
        else:
            self._forward(packet, destination, port, int.from_bytes(packet[8:9]))

    def _local4(self, packet: bytes, port: Interface) -> None:
        payload = packet[(packet[0] & 15) * 4 :]
        if int.from_bytes(packet[6:8]) & 0x3FFF:
            self._out.drop(Drop.LOCAL, port)
        elif packet[9] == p.ICMP:
            if len(payload) >= 8 and payload[0] == icmp.ECHO4 and checksum(payload) == 0:
                self._originate(
                    p.icmp4(packet[16:20], packet[12:16], icmp.ECHO_REPLY4, 0, payload[4:]), port
                )
            else:
                self._out.drop(Drop.LOCAL, port)
        else:
            self._out.drop(Drop.LOCAL, port)
            if packet[9] == p.UDP:
                self._error(packet, icmp.PORT_UNREACHABLE, port)

    # -- IPv6 ----------------------------------------------------------------------------------------

    def _ipv6(self, frame: bytes, port: Interface) -> None:
        packet = frame[p.ETH_HEADER :]
        reason = _bad_ipv6(packet)
        if reason is not None:
            self._out.drop(reason, port)
            return
        packet = packet[: 40 + int.from_bytes(packet[4:6])]
        source, destination = packet[8:24], packet[24:40]
        if destination[0] == 0xFF or destination in self.interfaces.own:
            self._local6(packet, port)
        elif is_link_local(destination):
            self._out.drop(Drop.MARTIAN, port)
        elif frame[0] & 1:
            self._out.drop(Drop.MULTICAST, port)
        elif is_link_local(source):
            self._out.drop(Drop.MARTIAN, port)
            self._error(packet, icmp.BEYOND_SCOPE, port)
        elif destination[:15] == bytes(15) or source[:15] == bytes(15):
            self._out.drop(Drop.MARTIAN, port)
        else:
            self._forward(packet, destination, port, packet[7])

    def _local6(self, packet: bytes, port: Interface) -> None:
        payload = packet[40:]
        source, destination = packet[8:24], packet[24:40]
        if packet[6] != p.ICMPV6 or len(payload) < 8:
            self._unserved6(packet, port)
        elif transport_checksum(source, destination, p.ICMPV6, payload):
            self._out.drop(Drop.BAD_CHECKSUM, port)
        elif payload[0] in (p.SOLICIT, p.ADVERTISE):
            self._discovery(packet, port)
        elif payload[0] == icmp.ECHO6 and source[0] != 0xFF and any(source):
            own = destination if destination[0] != 0xFF else port.source_for(source)
            reply = p.icmp6(own or destination, source, icmp.ECHO_REPLY6, 0, payload[4:])
            self._originate(reply, port)
        else:
            self._out.drop(Drop.LOCAL, port)

    def _unserved6(self, packet: bytes, port: Interface) -> None:
        multicast = packet[24] == 0xFF
        self._out.drop(Drop.MULTICAST if multicast else Drop.LOCAL, port)
        if packet[6] == p.UDP and not multicast:
            self._error(packet, icmp.PORT_UNREACHABLE, port)

    # -- out -----------------------------------------------------------------------------------------

    def _forward(self, packet: bytes, destination: bytes, port: Interface, hops: int) -> None:
        if hops <= 1:
            self._out.drop(Drop.TTL_EXPIRED, port)
            self._error(packet, icmp.TIME_EXCEEDED, port)
            return
        slot = self._lookup(destination)
        next_hop = self._at.next_hops.get(slot)
        if next_hop is None:
            self._out.drop(Drop.NO_ROUTE, port)
            self._error(packet, icmp.NO_ROUTE, port)
        elif next_hop.type == NextHopType.REJECT:
            self._out.drop(Drop.REJECT_ROUTE, port)
            self._error(packet, icmp.REJECTED, port)
        elif next_hop.type == NextHopType.DISCARD:
            self._out.drop(Drop.DISCARD_ROUTE, port)
        elif next_hop.type == NextHopType.LOCAL:
            # The route is newer than the addresses: the packet is ours, but by no address known.
            self._out.drop(Drop.LOCAL, port)
        else:
            self._towards(next_hop, slot, _one_hop_less(packet), port)

    def _towards(
        self, next_hop: NextHop, slot: int, packet: bytes, ingress: Interface | None
    ) -> None:
        """Send a packet whose hops are counted already."""
        kind = _ethertype(packet)
        if next_hop.fpc != self._at.fpc:
            label = next_hop.id.to_bytes(4) + self._at.fpc.to_bytes(2) + bytes(6)
            self._out.hand_over(next_hop.fpc, label + kind.to_bytes(2) + packet, slot)
            return
        port = self.interfaces.by_index.get(next_hop.port)
        if port is None or not port.up:
            self._out.drop(Drop.LINK_DOWN, ingress)
            return
        pieces = self._fitting(packet, port, ingress)
        target = next_hop.gateway or _destination(packet)
        mac = self.neighbours.mac(port.index, target)
        for piece in pieces:
            if mac is not None:
                self._transmit(port.index, mac, piece, slot)
            else:
                waiting = (slot, piece)
                self._carry_out(self.neighbours.resolve(port.index, target, waiting, self._now))

    def _fitting(self, packet: bytes, port: Interface, ingress: Interface | None) -> list[bytes]:
        """The packet, or its fragments, as the port's MTU demands; nothing when it may not."""
        if len(packet) <= port.mtu:
            return [packet]
        if packet[0] >> 4 == 4 and not packet[6] & 0x40:
            return p.fragments(packet, port.mtu)
        self._out.drop(Drop.TOO_BIG, ingress)
        self._error(packet, icmp.too_big(port.mtu), ingress)
        return []

    def _transmit(self, index: int, mac: bytes, packet: bytes, slot: int) -> None:
        port = self.interfaces.by_index.get(index)
        if port is None:
            self._out.drop(Drop.LINK_DOWN, None)
            return
        frame = p.ethernet(mac, port.mac, _ethertype(packet), packet)
        self._out.send(index, frame, slot)

    def _originate(self, packet: bytes, port: Interface | None) -> None:
        """Send a packet of the router's own."""
        destination = _destination(packet)
        if is_link_local(destination):
            if port is not None:
                self._to_neighbour(packet, destination, port)
            return
        slot = self._lookup(destination)
        next_hop = self._at.next_hops.get(slot)
        if next_hop and next_hop.type in (NextHopType.UNICAST, NextHopType.RESOLVE):
            self._towards(next_hop, slot, packet, None)
        else:
            self._out.drop(Drop.NO_ROUTE, None)

    def _to_neighbour(self, packet: bytes, address: bytes, port: Interface) -> None:
        mac = self.neighbours.mac(port.index, address)
        if mac is not None:
            self._transmit(port.index, mac, packet, 0)
        else:
            self._carry_out(self.neighbours.resolve(port.index, address, (0, packet), self._now))

    def _error(self, packet: bytes, error: icmp.Error, port: Interface | None) -> None:
        """Tell the sender, unless the RFCs forbid it or it happens too often."""
        family = packet[0] >> 4
        if not icmp.may_answer(packet, error):
            return
        source = self.interfaces.source(family, port)
        if source is None or not self._errors.take(self._now):
            return
        self._originate(icmp.build(packet, error, source), port)

    def _lookup(self, destination: bytes) -> int:
        row = np.frombuffer(destination, np.uint8)[None, :]
        return int(self._image.trie(4 if len(destination) == 4 else 6).lookup(row)[0])


def _bad_ipv4(packet: bytes) -> Drop | None:
    """What is wrong with a header (RFC 1812 section 5.2.2), or with the source address."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return Drop.BAD_HEADER
    header = (packet[0] & 15) * 4
    total = int.from_bytes(packet[2:4])
    if header < 20 or not header <= total <= len(packet):
        return Drop.BAD_HEADER
    if checksum(packet[:header]):
        return Drop.BAD_CHECKSUM
    return Drop.MARTIAN if packet[12] in (0, 127) or packet[12] >= 224 else None


def _bad_ipv6(packet: bytes) -> Drop | None:
    if len(packet) < 40 or packet[0] >> 4 != 6 or 40 + int.from_bytes(packet[4:6]) > len(packet):
        return Drop.BAD_HEADER
    return Drop.MARTIAN if packet[8] == 0xFF else None


def _ethertype(packet: bytes) -> int:
    return p.ETH_IPV4 if packet[0] >> 4 == 4 else p.ETH_IPV6


def _destination(packet: bytes) -> bytes:
    return packet[16:20] if packet[0] >> 4 == 4 else packet[24:40]


def _one_hop_less(packet: bytes) -> bytes:
    if packet[0] >> 4 == 4:
        return p.decrement_ttl(packet)
    return packet[:7] + bytes((packet[7] - 1,)) + packet[8:]

"""The vector path alone: which rows it takes on, and what it leaves."""

from __future__ import annotations

import os

import numpy as np
import pytest

from jdaemons.pfe import packets as p
from jdaemons.pfe.adjacency import Adjacencies
from jdaemons.pfe.fakes import HOST_MAC, MAC, forwarded, frame, install, ip
from jdaemons.pfe.forward import Forwarder, Outcome
from jdaemons.pfe.interfaces import Interface, read_interfaces
from jdaemons.pfe.layout import Image, Sizes
from jdaemons.pfe.mmsg import HEAD
from jdaemons.pfe.writer import ImageWriter

V4, V6 = ("192.0.2.2", "198.51.100.2"), ("2001:db8:1::2", "2001:db8:2::2")


class Bench:
    """Image, adjacencies with known neighbours, and a forwarder."""

    def __init__(self) -> None:
        fd = os.memfd_create("image")
        self.image = Image(fd, writable=True, sizes=Sizes(8, 512, 512, 64))
        os.close(fd)
        install(ImageWriter(self.image))
        interfaces = read_interfaces(self.image)
        self.port: Interface = interfaces.by_index[0]
        self.at = Adjacencies(0)
        self.at.refresh(self.image, interfaces, everything=True)
        for text in ("198.51.100.2", "2001:db8:2::2"):
            self.at.set_neighbour(1, ip(text), HOST_MAC[1])
        self.forwarder = Forwarder(self.image, self.at)

    def run(self, frames: list[bytes]) -> tuple[Outcome, list[bytes]]:
        """The outcome, and the frames that are to be sent."""
        heads = np.zeros((len(frames), HEAD), np.uint8)
        for row, octets in enumerate(frames):
            heads[row, : len(octets)] = np.frombuffer(octets[:HEAD], np.uint8)
        lengths = np.array([len(each) for each in frames], np.int64)
        outcome = self.forwarder.from_port(self.port, heads, lengths)
        sent = [
            (heads[row].tobytes() + frames[row][HEAD:])[:length]
            for row, length in zip(outcome.sent.tolist(), outcome.lengths.tolist(), strict=True)
        ]
        return outcome, sent


GOOD = [
    frame(*V4),
    frame("192.0.2.2", "10.1.2.3"),
    frame(*V6),
    frame(V6[0], "2001:db8:f::9"),
]
EXPECTED = [
    forwarded(*V4),
    forwarded("192.0.2.2", "10.1.2.3"),
    forwarded(*V6),
    forwarded(V6[0], "2001:db8:f::9"),
]
ODD = [
    frame(*V4, ttl=1),
    frame(*V6, ttl=1),
    frame(*V4)[:-1],
    frame(*V6)[:-1],
    frame("192.0.2.2", "192.0.2.1"),
    frame("192.0.2.2", "8.8.8.8"),
    frame("192.0.2.2", "198.51.100.77"),
    frame(V6[0], "2001:db8:2::77"),
    frame(*V4, payload=bytes(1481)),
    frame(*V6, payload=bytes(1461)),
    frame("127.0.0.1", V4[1]),
    frame("192.0.2.2", "10.77.0.1"),
    frame("fe80::1", V6[1]),
    p.BROADCAST + frame(*V4)[6:],
    MAC[0] + HOST_MAC[0] + b"\x08\x06" + bytes(28),
    frame(*V4)[:14] + b"\x46" + frame(*V4)[15:],
    frame(*V4)[:24] + b"\0\0" + frame(*V4)[26:],
]


def test_plain_packets_of_one_family_are_sent() -> None:
    bench = Bench()
    for frames, expected in ((GOOD[:2], EXPECTED[:2]), (GOOD[2:], EXPECTED[2:])):
        outcome, sent = bench.run(frames)

        assert expected == sent
        assert [1, 1] == outcome.ports.tolist()
        assert [] == outcome.punted.tolist()


def test_a_mixed_batch_is_told_apart() -> None:
    foreign = [b"\2\2\2\2\2\2" + frame(*V4)[6:]]
    discarded = [frame("192.0.2.2", "10.66.0.1")]
    outcome, sent = Bench().run([*ODD[:5], *GOOD, *foreign, *discarded, *ODD[5:]])

    assert EXPECTED == sent
    assert (1, 1) == (outcome.foreign, outcome.discarded)
    assert [*range(5), *range(11, 11 + len(ODD) - 5)] == outcome.punted.tolist()


@pytest.mark.parametrize("octets", ODD)
def test_everything_odd_is_punted(octets: bytes) -> None:
    outcome, sent = Bench().run([octets])

    assert [0] == outcome.punted.tolist()
    assert [] == sent


def test_the_next_hops_are_told_for_counting() -> None:
    bench = Bench()
    outcome, _ = bench.run(GOOD)
    numbers = [bench.at.next_hops[slot].id for slot in outcome.slots.tolist()]

    assert [2, 3, 2, 4] == numbers


def test_a_packet_for_an_unknown_next_hop_on_the_fabric_is_punted() -> None:
    bench = Bench()
    heads = np.zeros((2, HEAD), np.uint8)
    octets = frame(*V4)
    for row, number in enumerate((3, 99)):
        label = number.to_bytes(4) + bytes(8) + octets[12:]
        heads[row, : len(label)] = np.frombuffer(label[:HEAD], np.uint8)
    outcome = bench.forwarder.from_fabric(heads, np.array([len(octets)] * 2))

    assert ([0], [1]) == (outcome.sent.tolist(), outcome.punted.tolist())
    assert HOST_MAC[1] + MAC[1] == heads[0, :12].tobytes()
    assert 64 == heads[0, 22]

"""For tests: engines that are turned by hand, with unix ports and an image that the test writes.

No thread of an engine runs and nothing waits: a test puts frames in, turns the loop, and reads what came
out. Only the fake init has threads, one for each engine, to answer its requests.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe import packets as p
from jdaemons.pfe.engine import Engine
from jdaemons.pfe.layout import Image, NextHopType
from jdaemons.pfe.mmsg import HEAD, Kernel, Receiver, Transmitter
from jdaemons.pfe.ports import port as ports
from jdaemons.pfe.segment import BATCH, MESSAGE, SLOT, Drop, Segment
from jdaemons.pfe.values import Address, NextHop, Port
from jdaemons.pfe.writer import ImageWriter
from jsupervisor.runtime.fakes import FakeInit, make_order
from jsupervisor.runtime.lean import LeanHost
from jsupervisor.runtime.order import Order

LEFT, RIGHT = "ge-0/0/0", "ge-0/0/1"
MAC = {0: bytes.fromhex("02aa00000000"), 1: bytes.fromhex("02aa00000001")}
HOST_MAC = {0: bytes.fromhex("020000000002"), 1: bytes.fromhex("020000000102")}


def ip(text: str) -> bytes:
    """The octets of an address."""
    return ip_address(text).packed


def route(text: str) -> bytes:
    """The key of a route, as on the feed."""
    network = ip_network(text)
    packed = network.network_address.packed.ljust(16, b"\0")
    return bytes((network.version, network.prefixlen)) + packed


def address(port: int, text: str) -> Address:
    """An own address given as ADDRESS/LENGTH."""
    interface = ip_interface(text)
    return Address(port=port, local=interface.packed, prefix_length=interface.network.prefixlen)


PORTS = {
    0: Port(name=LEFT, mac=MAC[0], mtu=1514),
    1: Port(name=RIGHT, mac=MAC[1], mtu=1514),
}
ADDRESSES = [
    address(0, "192.0.2.1/24"),
    address(0, "2001:db8:1::1/64"),
    address(1, "198.51.100.1/24"),
    address(1, "2001:db8:2::1/64"),
    address(0xFFFF, "10.255.255.1/32"),
]
NEXT_HOPS = [
    NextHop(id=1, type=NextHopType.RESOLVE, port=0, interface=f"{LEFT}.0"),
    NextHop(id=2, type=NextHopType.RESOLVE, port=1, interface=f"{RIGHT}.0"),
    NextHop(id=3, type=NextHopType.UNICAST, port=1, gateway=ip("198.51.100.2")),
    NextHop(id=4, type=NextHopType.UNICAST, port=1, gateway=ip("2001:db8:2::2")),
    NextHop(id=5, type=NextHopType.LOCAL),
    NextHop(id=6, type=NextHopType.DISCARD),
    NextHop(id=7, type=NextHopType.REJECT),
    NextHop(id=8, type=NextHopType.UNICAST, port=0, gateway=ip("192.0.2.2")),
]
ROUTES = {
    route("192.0.2.0/24"): 1,
    route("192.0.2.1/32"): 5,
    route("2001:db8:1::/64"): 1,
    route("2001:db8:1::1/128"): 5,
    route("198.51.100.0/24"): 2,
    route("198.51.100.1/32"): 5,
    route("2001:db8:2::/64"): 2,
    route("2001:db8:2::1/128"): 5,
    route("10.255.255.1/32"): 5,
    route("10.1.0.0/16"): 3,
    route("2001:db8:f::/48"): 4,
    route("10.66.0.0/16"): 6,
    route("10.77.0.0/16"): 7,
    route("2001:db8:77::/48"): 7,
}


def install(writer: ImageWriter, routes: Mapping[bytes, int] | None = None) -> None:
    """The network of these tests."""
    writer.set_ports(PORTS, ADDRESSES)
    writer.set_next_hops(NEXT_HOPS)
    writer.change_routes(ROUTES if routes is None else routes, [])


class Init:
    """A FakeInit whose requests a thread answers; engines come and go, descriptors stay."""

    def __init__(self) -> None:
        self._keeper = FakeInit()
        self._threads: list[threading.Thread] = []
        self._fakes: list[FakeInit] = []

    @property
    def descriptors(self) -> dict[str, int]:
        """What is kept."""
        return self._keeper.descriptors

    @property
    def last(self) -> FakeInit:
        """The newest module's connection."""
        return self._fakes[-1]

    def settle(self) -> None:
        """End the newest module's connection and wait until all it said is heard."""
        self._fakes[-1].connection.close()
        self._threads[-1].join()

    def connect(self) -> FakeInit:
        """A new module's connection."""
        fake = FakeInit()
        fake.descriptors = self._keeper.descriptors
        thread = threading.Thread(target=lambda: [None for _ in iter(fake.answer_one, False)])
        thread.start()
        self._threads.append(thread)
        self._fakes.append(fake)
        return fake

    def close(self) -> None:
        """End all threads and close everything."""
        for fake in self._fakes:
            fake.connection.close()
        for thread in self._threads:
            thread.join()
        for fake in self._fakes:
            fake.close()
        self._keeper.close()


class Bench:
    """Engines that a test turns by hand: no thread of theirs runs."""

    def __init__(self, run_dir: Path, init: Init) -> None:
        self.run_dir = run_dir
        self.init = init
        self.order = make_order(
            run_dir,
            "pfe0",
            options={"fpc": 0},
            ports={LEFT: f"unix:{run_dir}/left", RIGHT: f"unix:{run_dir}/right"},
        )
        self._stack = ExitStack()

    def engine(self, order: Order | None = None, **changes: object) -> Engine:
        """A new engine on the kept descriptors, set up but not turned yet."""
        order = replace(order or self.order, **changes)  # type: ignore[arg-type]
        host = LeanHost(order, self.init.connect().connection)
        host.log.sink = lambda record: None
        engine = Engine(order, host)
        self._stack.callback(engine.close)
        engine.prepare()
        return engine

    def image(self, name: str = "pfe0") -> Image:
        """The image, writable."""
        return Image(self.init.descriptors[f"{name}/image"], writable=True)

    def segment(self, name: str = "pfe0") -> Segment:
        """The engine's memory, read-only."""
        return Segment(self.init.descriptors[f"{name}/state"], writable=False)

    def writer(self, name: str = "pfe0") -> ImageWriter:
        """pfectl's hand."""
        return ImageWriter(self.image(name))

    def host(self, path: str) -> socket.socket:
        """A peer of a unix port."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stack.callback(sock.close)
        sock.connect(f"{self.run_dir}/{path}")
        sock.setblocking(False)
        return sock

    def close(self) -> None:
        """Close engines and peers."""
        self._stack.close()


def received(sock: socket.socket) -> list[bytes]:
    """All frames that wait."""
    frames: list[bytes] = []
    while True:
        try:
            frame = sock.recv(4096)
        except BlockingIOError:
            return frames
        if not frame:
            return frames
        frames.append(frame)


def drops(segment: Segment, row: int) -> dict[str, int]:
    """What is not zero, by name."""
    return {each.label: int(segment.drops[row, each]) for each in Drop if segment.drops[row, each]}


def turn(engines: Engine | Iterable[Engine], times: int = 3) -> None:
    """Turn engines until nothing moves."""
    for _ in range(times):
        for engine in [engines] if isinstance(engines, Engine) else engines:
            engine.turn(0)


def frame(source: str, destination: str, *, ttl: int = 64, payload: bytes = b"x" * 26) -> bytes:
    """A UDP-like packet of the left host, for the router's MAC."""
    build = p.ipv6 if ":" in source else p.ipv4
    kind = p.ETH_IPV6 if ":" in source else p.ETH_IPV4
    packet = build(ip(source), ip(destination), p.UDP, payload, ttl)
    return p.ethernet(MAC[0], HOST_MAC[0], kind, packet)


def forwarded(source: str, destination: str, *, payload: bytes = b"x" * 26) -> bytes:
    """The same as the right host must see it."""
    return HOST_MAC[1] + MAC[1] + frame(source, destination, ttl=63, payload=payload)[12:]


def answer(sock: socket.socket, host: int = 1) -> list[bytes]:
    """Answer every question for a neighbour as that host; the other frames."""
    others = []
    for each in received(sock):
        arp = p.parse_arp(each[14:]) if each[12:14] == b"\x08\x06" else None
        question = p.parse_discovery(each[14:]) if each[12:14] == b"\x86\xdd" else None
        if arp is not None and arp.operation == 1:
            reply = p.Arp(2, HOST_MAC[host], arp.target, arp.sender_mac, arp.sender)
            sock.send(p.build_arp(reply, arp.sender_mac))
        elif question is not None and not question.advertisement:
            sock.send(p.advertise(HOST_MAC[host], question.target, MAC[host], question.source))
        else:
            others.append(each)
    return others


def start(bench: Bench) -> tuple[Engine, socket.socket, socket.socket]:
    """An engine with the usual network and both hosts attached."""
    engine = bench.engine()
    install(bench.writer())
    hosts = bench.host("left"), bench.host("right")
    turn(engine)
    return engine, *hosts


def resolved(bench: Bench) -> tuple[Engine, socket.socket, socket.socket]:
    """As `start`, and the engine knows both hosts."""
    engine, left, right = start(bench)
    for source, destination in (
        ("192.0.2.2", "198.51.100.2"),
        ("2001:db8:1::2", "2001:db8:2::2"),
        ("198.51.100.2", "192.0.2.2"),
        ("2001:db8:2::2", "2001:db8:1::2"),
    ):
        back = source.startswith(("198", "2001:db8:2"))
        packet = frame(source, destination)
        (right if back else left).send((MAC[1] if back else MAC[0]) + packet[6:])
    turn(engine)
    answer(left, 0)
    answer(right, 1)
    turn(engine)
    received(left)
    received(right)
    return engine, left, right


class FakeStore:
    """A descriptor store without init."""

    def __init__(self) -> None:
        self.fds: dict[str, int] = {}

    def put(self, key: str, fd: int) -> None:
        """Keep a duplicate."""
        assert key not in self.fds, key
        self.fds[key] = os.dup(fd)

    def get(self, key: str) -> int | None:
        """A descriptor of the caller's own."""
        return os.dup(self.fds[key]) if key in self.fds else None

    def drop(self, key: str) -> None:
        """Let go of it."""
        if key in self.fds:
            os.close(self.fds.pop(key))


class Batches:
    """A receiver and a transmitter on memory of their own."""

    def __init__(self) -> None:
        kernel = Kernel()
        self.frames: NDArray[np.uint8] = np.zeros((BATCH, SLOT), np.uint8)
        self.heads: NDArray[np.uint8] = np.zeros((BATCH, HEAD), np.uint8)
        self.receiver = Receiver(kernel, self.frames, np.zeros(BATCH, MESSAGE))
        self.transmitter = Transmitter(kernel, self.heads, self.frames)

    def take(self, port: ports.Port) -> list[bytes]:
        """Every frame that waits on a port."""
        found: list[bytes] = []
        for fd in list(port.events()):
            self.receiver.clear()
            count = port.receive(fd, self.receiver)
            lengths = self.receiver.lengths(count)
            found += [self.frames[row, :n].tobytes() for row, n in enumerate(lengths.tolist())]
        return found

    def line_up(self, frames: Sequence[bytes]) -> int:
        """Make these the transmitter's rows; how many they are."""
        for row, octets in enumerate(frames):
            wide = np.frombuffer(octets.ljust(SLOT, b"\0"), np.uint8)
            self.frames[row], self.heads[row] = wide, wide[:HEAD]
        lengths = np.array([len(each) for each in frames], np.int64)
        self.transmitter.prepare(np.arange(len(frames)), lengths)
        return len(frames)

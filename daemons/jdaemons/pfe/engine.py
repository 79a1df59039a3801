"""The packet engine: the loop around vector path, slow path, ports and fabric.

It waits for nothing but its sockets: forwarding image, own memory and port sockets come from the
descriptor store, and what a predecessor left half done is finished first. Whatever it needs to know is
in the image. One thread, no signal handlers, no state outside the object: it runs as well as a thread
of the monolithic process, several times in one.
"""

from __future__ import annotations

import gc
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.adjacency import FABRIC_PORT, Adjacencies
from jdaemons.pfe.fabric import Fabric
from jdaemons.pfe.forward import Forwarder, Outcome
from jdaemons.pfe.interfaces import Interface, Interfaces, read_interfaces
from jdaemons.pfe.layout import Image
from jdaemons.pfe.memory import obtain
from jdaemons.pfe.mmsg import HEAD, Kernel, Receiver, Transmitter
from jdaemons.pfe.packets import ETH_HEADER
from jdaemons.pfe.ports.opening import open_port, own_ports
from jdaemons.pfe.ports.port import Port, PortError
from jdaemons.pfe.segment import BATCH, FABRIC_ROW, SLOT, Drop, Segment
from jdaemons.pfe.slowpath import SlowPath
from jsupervisor.runtime.lean import LeanHost
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Record, Sink

WAIT_SECONDS: Final = 0.05
TICK_NS: Final = 50_000_000


@dataclass(slots=True)
class Binding:
    """A port and its row of links; `interface` is what the image says of it."""

    row: int
    port: Port
    interface: Interface | None = None


class Engine:
    """The program pfeN."""

    def __init__(self, order: Order, host: LeanHost) -> None:
        self.order = order
        self.host = host
        self.fpc = int(str(order.options.get("fpc", 0)))
        self.segment = obtain(host, f"{order.name}/state", _writable_segment)
        self.image = obtain(host, f"{order.name}/image", _readable_image)
        self.adjacencies = Adjacencies(self.fpc)
        self.slow = SlowPath(self.image, self.adjacencies, self)
        self._forwarder = Forwarder(self.image, self.adjacencies)
        kernel = Kernel()
        self._heads: NDArray[np.uint8] = np.zeros((BATCH, HEAD), np.uint8)
        self._receiver = Receiver(kernel, self.segment.frames, self.segment.messages)
        self._transmitter = Transmitter(kernel, self._heads, self.segment.frames)
        self._fabric = Fabric(self.fpc, host) if "fabric" in order.shares else None
        self._epoll = select.epoll()
        self._polled: dict[int, tuple[Binding, int]] = {}
        self._bindings: list[Binding] = []
        self._by_index: dict[int, Binding] = {}
        self._interfaces = Interfaces()
        self._generation = -1
        self._ticked = 0
        self._forwarding = False
        self._now = 0

    # -- life --------------------------------------------------------------------------------------

    def run(self) -> int:
        """Forward until told to stop."""
        self.host.report("serving")
        self.prepare()
        if self.order.architecture == "modular":
            # What is there now stays: the collector need not look at it again under traffic.
            gc.freeze()
        self.host.report("ready")
        while not self.host.stopping:
            self.turn()
        self.close()
        return 0

    def prepare(self) -> None:
        """Everything before the first turn of the loop."""
        self.host.log.sink = _both(self.host.log.sink, self.segment.append_log)
        self._open_ports()
        self._restore_neighbours()
        self.look_at_image()
        self._finish_batch()

    def turn(self, wait: float = WAIT_SECONDS) -> None:
        """Once around the loop."""
        self.host.beat()
        ready = self._epoll.poll(wait)
        self._now = time.monotonic_ns()
        self.look_at_image()
        for fd, events in ready:
            self._serve(fd, events)
        if self._now - self._ticked >= TICK_NS:
            self._tick()

    def close(self) -> None:
        """Close what is this process's; the store's copies stay."""
        for binding in self._bindings:
            binding.port.close()
        if self._fabric is not None:
            self._fabric.close()
        self._epoll.close()

    def _open_ports(self) -> None:
        self._epoll.register(self.host.fd, select.EPOLLIN)
        if self._fabric is not None:
            self._epoll.register(self._fabric.fileno(), select.EPOLLIN)
        links = self.segment.links
        for row, name in enumerate(own_ports(self.order.ports, self.fpc)):
            links["name"][row] = name.encode()
            links["used"][row] = 1
            links["error"][row] = b""
            try:
                key = f"{self.order.name}/port/{name}"
                port = open_port(name, self.order.ports[name], key, self.host, self.order.run_dir)
            except PortError as error:
                links["error"][row] = str(error).encode()
                links["up"][row] = 0
                self.host.log.error("PFE_PORT_OPEN_FAILED", str(error), interface=name)
                continue
            binding = Binding(row, port)
            self._bindings.append(binding)
            self._watch(binding)

    def _watch(self, binding: Binding) -> None:
        """Poll what the port now wants polled, and tell how its link is."""
        wanted = binding.port.events()
        for fd in [fd for fd, (owner, _) in self._polled.items() if owner is binding]:
            if fd not in wanted:
                del self._polled[fd]
                # A closed descriptor has left the poll by itself.
                try:
                    self._epoll.unregister(fd)
                except OSError:
                    pass
        for fd, mask in wanted.items():
            known = self._polled.get(fd)
            if known is None:
                self._epoll.register(fd, mask)
            elif known[1] != mask:
                self._epoll.modify(fd, mask)
            self._polled[fd] = (binding, mask)
        binding.port.changed = False
        self._tell_link(binding)

    def _tell_link(self, binding: Binding) -> None:
        up = self.segment.links["up"]
        if bool(up[binding.row]) == binding.port.up:
            return
        up[binding.row] = binding.port.up
        state = "up" if binding.port.up else "down"
        self.host.log.notice(
            f"PFE_LINK_{state.upper()}",
            f"{binding.port.name} is {state}",
            interface=binding.port.name,
        )
        if not binding.port.up and binding.interface is not None:
            self.slow.port_down(binding.interface.index, self._now)

    def _tick(self) -> None:
        self._ticked = self._now
        self.slow.tick(self._now)
        for binding in self._bindings:
            binding.port.refresh()
            if binding.port.changed:
                self._watch(binding)

    # -- what the image says -----------------------------------------------------------------------

    def look_at_image(self) -> None:
        """Take over changes of ports, addresses and next hops; routes are read where they are."""
        generation = self.image.generation
        first = self._generation < 0
        if generation == self._generation or (generation % 2 and not first):
            return
        interfaces = read_interfaces(self.image)
        changed = interfaces != self._interfaces or first
        self.adjacencies.refresh(self.image, interfaces, everything=changed)
        if changed:
            self._set_interfaces(interfaces)
        # One that changed meanwhile may have been read half: it is read again in the next turn.
        self._generation = generation if generation == self.image.generation else 0

    def _set_interfaces(self, interfaces: Interfaces) -> None:
        self._interfaces = self.slow.interfaces = interfaces
        self._by_index = {}
        for binding in self._bindings:
            binding.interface = interfaces.by_name.get(binding.port.name)
            if binding.interface is not None:
                self._by_index[binding.interface.index] = binding

    def _restore_neighbours(self) -> None:
        table = self.segment.neighbours
        for row in np.nonzero(table["family"])[0].tolist():
            record = table[row]
            address = record["address"].tobytes()[: 4 if record["family"] == 4 else 16]
            port, mac = int(record["port"]), record["mac"].tobytes()
            self.adjacencies.restore_neighbour(row, port, address, mac)
            self.slow.neighbours.restore(port, address, mac, int(record["confirmed_ns"]))

    # -- frames ------------------------------------------------------------------------------------

    def _serve(self, fd: int, events: int) -> None:
        if fd == self.host.fd:
            self.host.service()
        elif self._fabric is not None and fd == self._fabric.fileno():
            self._take(FABRIC_ROW, None, self._receive_fabric)
        elif fd in self._polled:
            binding = self._polled[fd][0]
            if events & select.EPOLLOUT:
                binding.port.flush()
            if events & ~select.EPOLLOUT:
                port = binding.port
                self._take(binding.row, binding, lambda: port.receive(fd, self._receiver))
            if binding.port.changed:
                self._watch(binding)

    def _receive_fabric(self) -> int:
        assert self._fabric is not None
        return self._fabric.receive(self._receiver)

    def _take(self, row: int, binding: Binding | None, receive: Callable[[], int]) -> None:
        """Receive a batch and work on it, under the guard."""
        guard = self.segment.guard
        self._receiver.clear()
        guard[0] = (row, 0, 1, 0)
        count = receive()
        if count:
            guard["count"] = count
            self._work(row, binding, 0, count)
        guard["attempt"] = 0

    def _finish_batch(self) -> None:
        """Work on what a predecessor had taken when it died, frame by frame.

        A frame over which a second engine died is dropped.
        """
        row, count, attempt, cursor = (int(value) for value in self.segment.guard[0])
        if not attempt:
            return
        guard = self.segment.guard
        count = min(count, BATCH) or self._receiver.left_behind()
        if attempt > 1:
            self.count_drops(Drop.POISON, row, 1)
            self.host.log.warning(
                "PFE_POISON_DROPPED", "dropped a packet over which two engines died", frame=cursor
            )
            cursor += 1
        binding = next((each for each in self._bindings if each.row == row), None)
        if binding is None and row != FABRIC_ROW:
            cursor = count
        guard[0] = (row, count, 2, cursor)
        self._now = time.monotonic_ns()
        for frame in range(cursor, count):
            guard["cursor"] = frame
            self._work(row, binding, frame, 1)
        guard["attempt"] = 0

    def _work(self, row: int, binding: Binding | None, first: int, count: int) -> None:
        """Forward `count` received frames from the `first` on."""
        last = first + count
        lengths = self._receiver.lengths(last)[first:]
        heads = self._heads[first:last]
        heads[:] = self.segment.frames[first:last, :HEAD]
        # What is not there would be another frame's: a group address takes it to the slow path.
        heads[lengths < ETH_HEADER] = 1
        if row == FABRIC_ROW:
            outcome = self._forwarder.from_fabric(heads, lengths)
            interface = None
        else:
            interface = binding.interface if binding else None
            self._count_input(row, lengths)
            if interface is None or not interface.up:
                self.count_drops(Drop.NO_INTERFACE, row, count)
                return
            outcome = self._forwarder.from_port(interface, heads, lengths)
        self._finish(outcome, row, first)
        for index in outcome.punted.tolist():
            self._punt(row, interface, first + index, int(lengths[index]))

    def _punt(self, row: int, interface: Interface | None, frame: int, length: int) -> None:
        if length < 0:
            self.count_drops(Drop.OVERSIZE, row, 1)
            return
        octets = self.segment.frames[frame, : min(length, SLOT)].tobytes()
        if interface is not None:
            self.slow.from_port(octets, interface, self._now)
        elif len(octets) < 34:
            self.count_drops(Drop.FABRIC, row, 1)
        else:
            self.slow.from_fabric(octets, self._now)

    def _finish(self, outcome: Outcome, row: int, first: int) -> None:
        """Transmit, by port, what the vector path forwarded."""
        if outcome.discarded:
            self.count_drops(Drop.DISCARD_ROUTE, row, outcome.discarded)
        if outcome.foreign:
            self.count_drops(Drop.NOT_FOR_US, row, outcome.foreign)
        if not len(outcome.sent):
            return
        rows = outcome.sent + first
        ports = outcome.ports
        if (ports == ports[0]).all():
            self._transmit(int(ports[0]), rows, outcome.lengths, row)
        else:
            for port in np.unique(ports).tolist():
                chosen = ports == port
                self._transmit(port, rows[chosen], outcome.lengths[chosen], row)
        np.add.at(self.segment.next_hop_packets, outcome.slots, 1)
        np.add.at(self.segment.next_hop_bytes, outcome.slots, outcome.lengths.astype(np.uint64))
        self._report_forwarding()

    def _transmit(
        self, port: int, rows: NDArray[np.intp], lengths: NDArray[np.int64], ingress: int
    ) -> None:
        count = len(rows)
        self._transmitter.prepare(rows, lengths)
        if port >= FABRIC_PORT:
            sent = 0
            if self._fabric is not None:
                sent = self._fabric.send_batch(
                    port - FABRIC_PORT, self._transmitter, count, self._now
                )
            self.count_drops(Drop.FABRIC, ingress, count - sent)
            return
        binding = self._by_index.get(port)
        if binding is None or not binding.port.up:
            self.count_drops(Drop.LINK_DOWN, ingress, count)
            return
        dropped = binding.port.transmit(self._transmitter, count)
        if dropped:
            self.count_drops(Drop.OUTPUT_FULL, binding.row, dropped)
        octets = int(lengths[: count - dropped].sum())
        self._count_output(binding, count - dropped, octets)

    def _report_forwarding(self) -> None:
        if not self._forwarding:
            self._forwarding = True
            self.host.report("forwarding")

    # -- counters ----------------------------------------------------------------------------------

    def count_drops(self, reason: Drop, row: int, count: int) -> None:
        """Count packets that came in by that row of links and go no further."""
        self.segment.drops[row, reason] += np.uint64(count)

    def _count_input(self, row: int, lengths: NDArray[np.int64]) -> None:
        links = self.segment.links
        links["input_packets"][row] += np.uint64(len(lengths))
        links["input_bytes"][row] += np.uint64(int(np.maximum(lengths, 0).sum()))

    def _count_output(self, binding: Binding, packets: int, octets: int) -> None:
        links = self.segment.links
        links["output_packets"][binding.row] += np.uint64(packets)
        links["output_bytes"][binding.row] += np.uint64(octets)
        if binding.port.changed:
            self._watch(binding)

    # -- the slow path's outlet ----------------------------------------------------------------------

    def send(self, port: int, frame: bytes, slot: int) -> None:
        """Transmit one frame."""
        binding = self._by_index.get(port)
        if binding is None or not binding.port.up:
            self.drop(Drop.LINK_DOWN, None)
        elif not binding.port.send(frame):
            self.count_drops(Drop.OUTPUT_FULL, binding.row, 1)
        else:
            self._count_output(binding, 1, len(frame))
            if slot:
                self.segment.next_hop_packets[slot] += np.uint64(1)
                self.segment.next_hop_bytes[slot] += np.uint64(len(frame))
                self._report_forwarding()

    def hand_over(self, fpc: int, frame: bytes, slot: int) -> None:
        """Give one packet to another FPC."""
        if self._fabric is None or not self._fabric.send(fpc, frame, self._now):
            self.drop(Drop.FABRIC, None)
        else:
            self.segment.next_hop_packets[slot] += np.uint64(1)
            self.segment.next_hop_bytes[slot] += np.uint64(len(frame))

    def drop(self, reason: Drop, port: Interface | None) -> None:
        """Count a packet of the slow path."""
        binding = self._by_index.get(port.index) if port else None
        self.count_drops(reason, binding.row if binding else FABRIC_ROW, 1)

    def neighbour_changed(self, port: int, address: bytes, mac: bytes | None) -> None:
        """Tell the vector path, and the successor."""
        table = self.segment.neighbours
        if mac is None:
            table["family"][self.adjacencies.remove_neighbour(port, address)] = 0
            return
        number = self.adjacencies.set_neighbour(port, address, mac)
        if number is None:
            return
        family = 4 if len(address) == 4 else 6
        wide = np.frombuffer(address.ljust(16, b"\0"), np.uint8)
        octets = np.frombuffer(mac, np.uint8)
        table["family"][number] = 0
        table[number] = (0, port, octets, wide, self._now)
        table["family"][number] = family


def _writable_segment(fd: int) -> Segment:
    return Segment(fd, writable=True)


def _readable_image(fd: int) -> Image:
    return Image(fd, writable=False)


def _both(sink: Sink, append: Callable[[str], None]) -> Sink:
    def write(record: Record) -> None:
        sink(record)
        append(record.to_line())

    return write

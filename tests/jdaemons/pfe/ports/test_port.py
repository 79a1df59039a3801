"""What all ports share: the queue of what a socket does not take at once."""

from __future__ import annotations

import select
import socket

from jdaemons.pfe.fakes import Batches
from jdaemons.pfe.mmsg import Receiver, Transmitter
from jdaemons.pfe.ports.port import BUFFER_BYTES, QUEUE_MAX, Port, enlarge


class Narrow(Port):
    """Takes as many frames as it has room for."""

    def __init__(self, room: int) -> None:
        super().__init__("narrow")
        self.up = True
        self.room = room
        self.taken: list[bytes] = []

    def events(self) -> dict[int, int]:
        return {9: self.mask()}

    def receive(self, fd: int, receiver: Receiver) -> int:
        return 0

    def send_batch(self, transmitter: Transmitter, first: int) -> int:
        return int(self.send_one(transmitter.frame(first)))

    def send_one(self, frame: bytes) -> bool:
        if len(self.taken) >= self.room:
            return False
        self.taken.append(frame)
        return True

    def close(self) -> None:
        pass


FRAMES = [bytes((index,)) * 20 for index in range(10)]


def test_what_does_not_fit_waits_and_keeps_its_order() -> None:
    batches, port = Batches(), Narrow(3)
    dropped = port.transmit(batches.transmitter, batches.line_up(FRAMES))
    waiting = port.events()
    port.send(b"later")
    port.room = 100
    port.flush()

    assert 0 == dropped
    assert {9: select.EPOLLIN | select.EPOLLOUT} == waiting
    assert [*FRAMES, b"later"] == port.taken
    assert {9: select.EPOLLIN} == port.events()


def test_the_queue_has_an_end() -> None:
    batches, port = Batches(), Narrow(0)
    for _ in range(QUEUE_MAX - 5):
        port.send(b"x")

    assert 5 == port.transmit(batches.transmitter, batches.line_up(FRAMES))
    assert not port.send(b"y")
    assert QUEUE_MAX == len(port.queue)


def test_nothing_waits_for_a_link_that_is_down() -> None:
    port = Narrow(0)
    port.send(b"x")
    port.set_up(False)

    assert not port.queue
    assert not port.send(b"y")


def test_a_link_that_stays_as_it_is_is_no_change() -> None:
    port = Narrow(0)
    port.changed = False
    port.set_up(True)
    same = port.changed
    port.set_up(False)

    assert not same
    assert port.changed


def test_buffers_are_as_big_as_the_host_allows() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        before = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        enlarge(sock)
        after = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

    assert before <= after <= 2 * BUFFER_BYTES

"""A stand-in for a router: two `unix:` ports joined by a thread, which can be told to misbehave."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jsupervisor.testing.traffic import frames

ROUTER_MAC = frames.mac("02:00:00:00:00:fe")


class Relay:
    """Answers every ARP request and solicitation, and carries every other frame across."""

    def __init__(self, folder: Path) -> None:
        self.paths = [str(folder / "left"), str(folder / "right")]
        self.drop: Callable[[frames.Datagram], bool] = lambda _: False
        self.reading = threading.Event()
        self.reading.set()
        self._listeners = [self._listen(path) for path in self.paths]
        self._ports: dict[int, socket.socket] = {}
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @staticmethod
    def _listen(path: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen()
        return listener

    def _run(self) -> None:
        while True:
            waiting = [self._stopped, *self._listeners, *self._ports.values()]
            readable, _, _ = select.select(waiting, (), ())
            if self._stopped in readable:
                return
            for side, listener in enumerate(self._listeners):
                if listener in readable:
                    self._ports[side] = listener.accept()[0]
            self.reading.wait()
            for side, port in list(self._ports.items()):
                if port in readable:
                    try:
                        self._carry(side, port.recv(2048))
                    except OSError:
                        self._ports.pop(side).close()

    def _carry(self, side: int, data: bytes) -> None:
        if not data:
            raise ConnectionError("the host has gone")
        frame = frames.read(data)
        if isinstance(frame, frames.Arp) and frame.operation == 1:
            answer = frames.Arp(2, ROUTER_MAC, frame.target, frame.sender_mac, frame.sender)
            self._ports[side].send(frames.arp(answer, frame.sender_mac))
        elif isinstance(frame, frames.Neighbour) and not frame.advert:
            assert frame.link_address is not None
            self._ports[side].send(
                frames.advertise(ROUTER_MAC, frame.link_address, frame.target, frame.source)
            )
        elif (
            isinstance(frame, frames.Datagram) and not self.drop(frame) and 1 - side in self._ports
        ):
            self._ports[1 - side].send(data)

    def close(self) -> None:
        """Stop the thread and close everything."""
        self.reading.set()
        self._stop.close()
        self._thread.join()
        for sock in (self._stopped, *self._listeners, *self._ports.values()):
            sock.close()


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    """A relay between tmp_path/left and tmp_path/right."""
    relay = Relay(tmp_path)
    yield relay
    relay.close()

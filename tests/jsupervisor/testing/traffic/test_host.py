"""A host: attached again and again, on time, and honest about what it could not send."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jsupervisor.testing.traffic import frames
from jsupervisor.testing.traffic.flows import Flow, HostPlan
from jsupervisor.testing.traffic.host import Host
from jsupervisor.testing.traffic.ledger import Ledger, Received, Sent, Word

ROUTER = frames.mac("02:00:00:00:00:fe")
MS = 1_000_000
OUT = Flow(1, "192.0.2.2", "198.51.100.2", 1000.0)
IN = Flow(2, "198.51.100.2", "192.0.2.2", 1000.0)


class Running:
    """A host in a thread, and the router's side of its link."""

    def __init__(self, folder: Path) -> None:
        self.plan = HostPlan(
            "left",
            f"unix:{folder}/port",
            "02:00:00:00:00:01",
            ("192.0.2.2",),
            ("192.0.2.1",),
            (OUT,),
            (IN,),
            10,
        )
        self.ledger = Ledger.create(self.plan)
        self.path = f"{folder}/port"
        self._listener = self._listen()
        self._lifeline, self._end = os.pipe()
        self._host = Host(self.plan, Ledger(self.plan, os.dup(self.ledger.fd)))
        self._thread = threading.Thread(target=self._host.run, args=(self._lifeline,))
        self._thread.start()

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.path)
        listener.listen()
        listener.settimeout(10.0)
        return listener

    def accept(self) -> socket.socket:
        """The host's next connection."""
        peer = self._listener.accept()[0]
        peer.settimeout(10.0)
        return peer

    def resolve(self, peer: socket.socket) -> None:
        """Answer the host's ARP request."""
        request = frames.read(peer.recv(2048))
        assert isinstance(request, frames.Arp)
        answer = frames.Arp(2, ROUTER, request.target, request.sender_mac, request.sender)
        peer.send(frames.arp(answer, request.sender_mac))
        self.until(lambda: bool(self.ledger[Word.RESOLVED]))

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for the host to get somewhere, ten seconds at most."""
        deadline = time.monotonic() + 10.0
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def close(self) -> None:
        os.close(self._end)
        self._thread.join()
        os.close(self._lifeline)
        self._listener.close()
        self._host.close()
        self.ledger.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    yield running
    running.close()


def test_packets_leave_in_order_and_on_schedule(running: Running) -> None:
    with running.accept() as peer:
        running.resolve(peer)
        running.ledger[Word.START_NS] = time.monotonic_ns()
        received = [frames.read(peer.recv(2048)) for _ in range(50)]

    assert list(range(50)) == [
        each.sequence for each in received if isinstance(each, frames.Datagram)
    ]


def test_nothing_is_due_after_the_stop(running: Running) -> None:
    with running.accept() as peer:
        running.resolve(peer)
        start = time.monotonic_ns()
        running.ledger[Word.STOP_NS] = start + 20 * MS
        running.ledger[Word.START_NS] = start
        running.until(lambda: running.ledger.sent(1, Sent.SENT) == 21)
        peer.settimeout(0.05)
        received = 0
        with pytest.raises(TimeoutError):
            while peer.recv(2048):
                received += 1

    assert 21 == received == running.ledger.sent(1, Sent.SENT)


def test_what_arrives_is_entered_once(running: Running) -> None:
    template = frames.Template(
        2,
        ROUTER,
        frames.mac("02:00:00:00:00:01"),
        frames.address(IN.source),
        frames.address(IN.destination),
        63,
    )
    with running.accept() as peer:
        running.resolve(peer)
        frame = bytearray(template.length)
        for sequence in (0, 1, 1):
            template.write(frame, 0, sequence, 7)
            peer.send(bytes(frame))
        peer.send(b"nonsense" * 10)
        running.until(lambda: running.ledger[Word.UNKNOWN] == 1)

    assert 2 == running.ledger.received(2, Received.RECEIVED)
    assert 1 == running.ledger.received(2, Received.DUPLICATES)


def test_a_link_that_broke_is_established_again(running: Running) -> None:
    running.accept().close()
    with running.accept() as peer:
        running.resolve(peer)

    assert running.ledger[Word.ATTACHMENTS] >= 2


def test_packets_due_while_there_was_no_link_leave_late_and_count_as_delayed(
    running: Running,
) -> None:
    peer = running.accept()
    running.resolve(peer)
    start = time.monotonic_ns()
    running.ledger[Word.STOP_NS] = start + 100 * MS
    running.ledger[Word.START_NS] = start
    assert isinstance(frames.read(peer.recv(2048)), frames.Datagram)
    peer.close()
    with running.accept():
        running.until(lambda: running.ledger.sent(1, Sent.SENT) == 101)

    assert 0 < running.ledger.sent(1, Sent.DELAYED) < 101
    assert running.ledger[Word.BLOCKED_NS] > 0


def test_a_start_without_a_plan_is_wrong_usage() -> None:
    for arguments in ([], ["x", "{}"], ["0", "{}"]):
        done = subprocess.run(
            [sys.executable, "-m", "jsupervisor.testing.traffic", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

        assert 2 == done.returncode
        assert done.stderr.startswith("jsupervisor: cannot")
        assert 1 == len(done.stderr.splitlines())

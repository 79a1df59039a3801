"""The host process: keeps its link up, answers for its addresses, sends by schedule, counts.

One thread, one loop that turns once in a millisecond while traffic runs. It ends when its standard
input does, which its starter holds open: no host outlives the test that made it.
"""

from __future__ import annotations

import select
import sys
import time
from dataclasses import dataclass
from typing import Final

from jsupervisor.testing.traffic import frames
from jsupervisor.testing.traffic.flows import Flow, HostPlan
from jsupervisor.testing.traffic.ledger import Ledger, Sent, Word
from jsupervisor.testing.traffic.links import SLOT_SIZE, SLOTS, Batch, Link, LinkDown, attach
from jsupervisor.testing.traffic.neighbours import Neighbours
from jsupervisor.testing.traffic.schedule import TICK_NS, Pacer, Schedule, next_tick

IDLE_NS: Final = 20 * TICK_NS
ATTACH_RETRY_NS: Final = 5 * TICK_NS
MAX_BATCHES: Final = 8
"""Batches received in one turn, so that a flood does not keep the host from sending."""


@dataclass(slots=True)
class _Stream:
    """A flow that is being sent."""

    flow: Flow
    schedule: Schedule
    pacer: Pacer
    template: frames.Template


class Host:
    """One host of a test bed."""

    def __init__(self, plan: HostPlan, ledger: Ledger) -> None:
        self._plan = plan
        self._ledger = ledger
        self._mac = frames.mac(plan.mac)
        wanted = {plan.gateway(flow) for flow in plan.sends}
        self._neighbours = Neighbours(
            self._mac,
            [frames.address(text) for text in plan.addresses],
            [frames.address(text) for text in sorted(wanted)],
        )
        self._link: Link | None = None
        self._attach_at_ns = 0
        self._blocked_since_ns = 0
        self._dropped_before = 0
        self._streams: list[_Stream] = []
        self._turn = 0
        self._batch = Batch()
        self._control = Batch()

    def run(self, lifeline: int) -> None:
        """Work until the descriptor `lifeline` reaches its end."""
        while True:
            now = time.monotonic_ns()
            self._keep_attached(now)
            self._say(self._neighbours.ask(now))
            if self._ledger[Word.START_NS]:
                self._send_due(now)
            reading = [lifeline] if self._link is None else [lifeline, self._link.fileno()]
            wait = max(0, self._next_turn(now) - time.monotonic_ns())
            readable, _, _ = select.select(reading, (), (), wait / 1e9)
            if lifeline in readable:
                return
            if readable:
                self._receive()

    def close(self) -> None:
        """Close the link."""
        if self._link is not None:
            self._link.close()

    def _next_turn(self, now: int) -> int:
        if self._link is None:
            return self._attach_at_ns
        if self._streams:
            return next_tick(self._ledger[Word.START_NS], now)
        return now + IDLE_NS

    # -- the link ----------------------------------------------------------------------

    def _keep_attached(self, now: int) -> None:
        if self._link is not None or now < self._attach_at_ns:
            return
        try:
            self._link = attach(self._plan.link)
        except LinkDown:
            self._attach_at_ns = now + ATTACH_RETRY_NS
            return
        self._ledger[Word.ATTACHED] = 1
        self._ledger[Word.ATTACHMENTS] += 1

    def _detach(self) -> None:
        if self._link is not None:
            self._dropped_before += self._link.dropped()
            self._link.close()
            self._link = None
        self._ledger[Word.ATTACHED] = 0
        self._attach_at_ns = time.monotonic_ns() + ATTACH_RETRY_NS

    def _say(self, messages: list[bytes]) -> None:
        """Send a few frames of our own; what the link does not take is asked for again."""
        if self._link is None or not messages:
            return
        for slot, message in enumerate(messages[:SLOTS]):
            start = slot * SLOT_SIZE
            self._control.buffer[start : start + len(message)] = message
            self._control.set_length(slot, len(message))
        try:
            self._link.send(self._control, len(messages[:SLOTS]))
        except LinkDown:
            self._detach()

    # -- sending -----------------------------------------------------------------------

    def _send_due(self, now: int) -> None:
        if not self._streams and not self._begin():
            return
        stop = self._ledger[Word.STOP_NS]
        until = min(now, stop) if stop else now
        # Another flow comes first each time: a link that takes little must not starve the last.
        self._turn = (self._turn + 1) % len(self._streams)
        order = self._streams[self._turn :] + self._streams[: self._turn]
        slots = self._fill(order, until, now)
        sent = 0
        if self._link is not None:
            try:
                sent = self._link.send(self._batch, len(slots))
            except LinkDown:
                self._detach()
        self._account(slots, sent, now)

    def _begin(self) -> bool:
        if not self._neighbours.complete or not self._plan.sends:
            return False
        start = self._ledger[Word.START_NS]
        for flow in self._plan.sends:
            schedule = Schedule(start, flow.rate)
            template = frames.Template(
                flow.number,
                self._mac,
                self._neighbours.known[frames.address(self._plan.gateway(flow))],
                frames.address(flow.source),
                frames.address(flow.destination),
                flow.hops,
            )
            self._streams.append(_Stream(flow, schedule, Pacer(schedule), template))
        return True

    def _fill(self, order: list[_Stream], until: int, now: int) -> list[tuple[_Stream, int]]:
        slots: list[tuple[_Stream, int]] = []
        for stream in order:
            template = stream.template
            for sequence in stream.pacer.take(until):
                if len(slots) == SLOTS:
                    return slots
                template.write(self._batch.buffer, len(slots) * SLOT_SIZE, sequence, now)
                self._batch.set_length(len(slots), template.length)
                slots.append((stream, sequence))
        return slots

    def _account(self, slots: list[tuple[_Stream, int]], sent: int, now: int) -> None:
        blocked = self._blocked_since_ns != 0
        for stream, sequence in slots[:sent]:
            stream.pacer.sent(1)
            self._ledger.add_sent(stream.flow.number, Sent.SENT, 1)
            if blocked and stream.schedule.time_of(sequence) < now - TICK_NS:
                self._ledger.add_sent(stream.flow.number, Sent.DELAYED, 1)
        if sent < len(slots):
            if blocked:
                self._ledger[Word.BLOCKED_NS] += now - self._blocked_since_ns
            self._blocked_since_ns = now
        elif blocked:
            self._ledger[Word.BLOCKED_NS] += now - self._blocked_since_ns
            # Blocked until the backlog is gone, so that every late packet counts as delayed.
            late = any(stream.pacer.backlog(now) > 1 for stream in self._streams)
            self._blocked_since_ns = now if late else 0

    # -- receiving ---------------------------------------------------------------------

    def _receive(self) -> None:
        try:
            for _ in range(MAX_BATCHES):
                if self._link is None or not self._receive_batch(self._link):
                    break
        except LinkDown:
            self._detach()
        dropped = self._dropped_before + (self._link.dropped() if self._link else 0)
        self._ledger[Word.SOCKET_DROPPED] = dropped

    def _receive_batch(self, link: Link) -> bool:
        """Take one batch; was it a full one, so that there may be more?"""
        now = time.monotonic_ns()
        count = 0
        for data in link.receive():
            count += 1
            frame = frames.read(data)
            if isinstance(frame, frames.Datagram):
                if not self._ledger.note(frame.flow, frame.sequence, now):
                    self._ledger[Word.UNKNOWN] += 1
            elif frame is None:
                self._ledger[Word.UNKNOWN] += 1
            else:
                self._say(self._neighbours.handle(frame))
        self._ledger[Word.FRAMES_IN] += count
        self._ledger[Word.RESOLVED] = int(self._neighbours.complete)
        return count == SLOTS


def main(plan: HostPlan, ledger_fd: int) -> int:
    """Be the host of `plan` until standard input ends."""
    ledger = Ledger(plan, ledger_fd)
    host = Host(plan, ledger)
    try:
        host.run(sys.stdin.fileno())
    except KeyboardInterrupt:
        pass
    finally:
        host.close()
        ledger.close()
    return 0

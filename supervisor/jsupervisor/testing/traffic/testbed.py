"""A test bed: host processes around a router, started, told when to send, and read.

    with Traffic([left, right]) as bed:
        bed.wait_ready(5.0)
        bed.start()
        ...
        bed.settle(window)
        print(bed.loss(begin_ns, end_ns).lost)

Nothing here waits longer than it is told to, and no host process outlives the bed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from jsupervisor.testing.traffic.flows import Flow, HostPlan, to_json, validate
from jsupervisor.testing.traffic.ledger import Ledger, Received, Sent, Word
from jsupervisor.testing.traffic.losses import FlowLoss, Loss, flow_loss
from jsupervisor.testing.traffic.schedule import Schedule

POLL_SECONDS: Final = 0.002
LEAD_NS: Final = 20_000_000
"""Hosts learn of the start this long before it, so that all of them begin on time."""


class TrafficError(Exception):
    """A host did not do its part; the text begins with "cannot"."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything since the start, over all hosts and flows."""

    offered: int
    sent: int
    delayed: int
    received: int
    duplicates: int
    reordered: int
    socket_dropped: int
    blocked_ms: float


class _HostProcess:
    """One host: its plan, its ledger, its process."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = validate(plan)
        self.ledger = Ledger.create(plan)
        command = [sys.executable, "-m", "jsupervisor.testing.traffic"]
        self.process = subprocess.Popen(
            [*command, str(self.ledger.fd), to_json(plan)],
            stdin=subprocess.PIPE,
            pass_fds=(self.ledger.fd,),
        )

    def close(self) -> None:
        """Close its lifeline and wait for it to end."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(2.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.ledger.close()


class Traffic:
    """Hosts around one router, or several."""

    def __init__(self, hosts: Sequence[HostPlan]) -> None:
        """Start the host processes; raises ValueError for a plan that makes no sense."""
        for plan in hosts:
            validate(plan)
        self._hosts: list[_HostProcess] = []
        self.start_ns = 0
        self._stop_ns = 0
        try:
            for plan in hosts:
                self._hosts.append(_HostProcess(plan))
        except BaseException:
            self.close()
            raise

    @property
    def flows(self) -> tuple[Flow, ...]:
        """All flows that some host sends."""
        return tuple(flow for host in self._hosts for flow in host.plan.sends)

    @property
    def rate(self) -> float:
        """Packets per second, all flows together."""
        return sum(flow.rate for flow in self.flows)

    def ready(self) -> bool:
        """Is every host attached, and does every sender know its gateways?"""
        return all(
            host.ledger[Word.ATTACHED] and (host.ledger[Word.RESOLVED] or not host.plan.sends)
            for host in self._hosts
        )

    def wait_ready(self, timeout: float) -> None:
        """Wait until `ready`; raises TrafficError that names the hosts that are not."""
        if not self._until(self.ready, timeout):
            missing = [
                f"{host.plan.name} ({'no neighbour' if host.ledger[Word.ATTACHED] else 'no link'})"
                for host in self._hosts
                if not (host.ledger[Word.ATTACHED] and host.ledger[Word.RESOLVED])
            ]
            raise TrafficError(f"cannot start traffic within {timeout:g} s: {', '.join(missing)}")

    def start(self) -> int:
        """Begin to send; returns when, as CLOCK_MONOTONIC ns (a little in the future)."""
        self.start_ns = time.monotonic_ns() + LEAD_NS
        for host in self._hosts:
            host.ledger[Word.START_NS] = self.start_ns
        return self.start_ns

    def stop(self) -> int:
        """Nothing more is due from now on; what is late still leaves. Returns that moment."""
        self._stop_ns = time.monotonic_ns()
        for host in self._hosts:
            host.ledger[Word.STOP_NS] = self._stop_ns
        return self._stop_ns

    def settle(self, end_ns: int, timeout: float) -> bool:
        """Wait until every packet due before `end_ns` has arrived or been overtaken.

        False when `timeout` seconds passed first: what is missing then is lost, or very late.
        While traffic runs on, a later packet of the same flow proves that the flow's queue is
        empty; after `stop` only the packets themselves do.
        """
        return self._until(lambda: all(self._settled(flow, end_ns) for flow in self.flows), timeout)

    def _settled(self, flow: Flow, end_ns: int) -> bool:
        end = self._window(flow, self.start_ns, end_ns).stop
        counter = self._counter(flow)
        if counter.received(flow.number, Received.NEXT) > end:
            return True
        return counter.received(flow.number, Received.RECEIVED) >= end

    def loss(self, begin_ns: int, end_ns: int, flows: Sequence[Flow] | None = None) -> Loss:
        """What became of the packets due in begin <= t < end; call `settle` first."""
        chosen = self.flows if flows is None else tuple(flows)
        return Loss(
            tuple(self._flow_loss(flow, begin_ns, end_ns) for flow in chosen),
            sum(flow.rate for flow in chosen),
        )

    def _flow_loss(self, flow: Flow, begin_ns: int, end_ns: int) -> FlowLoss:
        window = self._window(flow, begin_ns, end_ns)
        return flow_loss(
            flow.number, self._counter(flow).arrivals(flow.number, window), begin_ns, end_ns
        )

    def _window(self, flow: Flow, begin_ns: int, end_ns: int) -> range:
        if not self.start_ns:
            return range(0)
        if self._stop_ns:
            end_ns = min(end_ns, self._stop_ns + 1)
        return Schedule(self.start_ns, flow.rate).window(begin_ns, end_ns)

    def totals(self) -> Totals:
        """The sums since the start."""
        now = self._stop_ns + 1 if self._stop_ns else time.monotonic_ns()
        sent = delayed = received = duplicates = reordered = 0
        for host in self._hosts:
            for flow in host.plan.sends:
                sent += host.ledger.sent(flow.number, Sent.SENT)
                delayed += host.ledger.sent(flow.number, Sent.DELAYED)
            for flow in host.plan.counts:
                received += host.ledger.received(flow.number, Received.RECEIVED)
                duplicates += host.ledger.received(flow.number, Received.DUPLICATES)
                reordered += host.ledger.received(flow.number, Received.REORDERED)
        return Totals(
            offered=sum(len(self._window(flow, self.start_ns, now)) for flow in self.flows),
            sent=sent,
            delayed=delayed,
            received=received,
            duplicates=duplicates,
            reordered=reordered,
            socket_dropped=self.socket_dropped(),
            blocked_ms=sum(host.ledger[Word.BLOCKED_NS] for host in self._hosts) / 1e6,
        )

    def socket_dropped(self) -> int:
        """Frames that the kernel dropped at the hosts' own sockets."""
        return sum(host.ledger[Word.SOCKET_DROPPED] for host in self._hosts)

    def attachments(self) -> int:
        """How often a host's link was established, over all hosts."""
        return sum(host.ledger[Word.ATTACHMENTS] for host in self._hosts)

    def _counter(self, flow: Flow) -> Ledger:
        for host in self._hosts:
            if any(counted.number == flow.number for counted in host.plan.counts):
                return host.ledger
        raise TrafficError(f"cannot account for flow {flow.number}: no host counts it")

    def _until(self, done: Callable[[], bool], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while not done():
            for host in self._hosts:
                if host.process.poll() is not None:
                    raise TrafficError(
                        f"cannot go on: test host {host.plan.name} ended"
                        f" with status {host.process.returncode}"
                    )
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def close(self) -> None:
        """End the host processes."""
        while self._hosts:
            self._hosts.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

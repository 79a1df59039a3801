"""Real host processes around a stand-in for a router."""

from __future__ import annotations

import time
from typing import Protocol

import pytest

from jsupervisor.testing.traffic.flows import HostPlan, split
from jsupervisor.testing.traffic.frames import Datagram
from jsupervisor.testing.traffic.testbed import Traffic, TrafficError

FLOWS = split(2000.0, [("192.0.2.2", "198.51.100.2"), ("2001:db8:1::2", "2001:db8:2::2")])
MS = 1_000_000


class Relay(Protocol):
    """What conftest.py gives."""

    paths: list[str]
    drop: object
    reading: object


def plans(paths: list[str]) -> list[HostPlan]:
    left = HostPlan(
        name="left",
        link=f"unix:{paths[0]}",
        mac="02:00:00:00:00:01",
        addresses=("192.0.2.2", "2001:db8:1::2"),
        gateways=("192.0.2.1", "2001:db8:1::1"),
        sends=FLOWS,
    )
    right = HostPlan(
        name="right",
        link=f"unix:{paths[1]}",
        mac="02:00:00:00:00:02",
        addresses=("198.51.100.2", "2001:db8:2::2"),
        counts=FLOWS,
    )
    return [left, right]


def run_until(bed: Traffic, end_ns: int) -> None:
    """Traffic up to `end_ns`, then none."""
    assert bed.settle(end_ns, 5.0)
    bed.stop()


@pytest.mark.system
def test_every_packet_is_accounted_for(relay: Relay) -> None:
    with Traffic(plans(relay.paths)) as bed:
        bed.wait_ready(10.0)
        end = bed.start() + 200 * MS
        run_until(bed, end)
        loss = bed.loss(0, end)
        totals = bed.totals()

    assert (400, 0, 0.0) == (loss.offered, loss.lost, loss.outage_ms_by_loss)
    assert (0, 0, 0) == (totals.duplicates, totals.reordered, totals.socket_dropped)
    assert totals.offered >= totals.sent >= 400


@pytest.mark.system
def test_a_hole_shows_in_the_flow_that_has_it(relay: Relay) -> None:
    def drop(frame: Datagram) -> bool:
        return frame.flow == 1 and 50 <= frame.sequence < 100

    relay.drop = drop
    with Traffic(plans(relay.paths)) as bed:
        bed.wait_ready(10.0)
        end = bed.start() + 200 * MS
        run_until(bed, end)
        lost = {flow.flow: flow.lost for flow in bed.loss(0, end).flows}
        gaps = {flow.flow: flow.gap.length_ns for flow in bed.loss(0, end).flows}

    assert {1: 50, 2: 0} == lost
    assert gaps[1] >= 49 * MS


@pytest.mark.system
def test_a_peer_that_reads_nothing_delays_packets_and_loses_none(relay: Relay) -> None:
    with Traffic(plans(relay.paths)) as bed:
        bed.wait_ready(10.0)
        relay.reading.clear()  # type: ignore[attr-defined]
        start = bed.start()
        assert not bed.settle(start + 100 * MS, 0.3)
        relay.reading.set()  # type: ignore[attr-defined]
        end = time.monotonic_ns()
        run_until(bed, end)
        loss = bed.loss(0, end)

    assert 0 == loss.lost
    assert loss.outage_ms_by_loss == 0.0


@pytest.mark.system
def test_a_host_without_a_router_says_what_it_misses(tmp_path: object) -> None:
    with (
        Traffic(plans([f"{tmp_path}/l", f"{tmp_path}/r"])) as bed,
        pytest.raises(TrafficError, match=r"cannot start traffic within 0\.2 s: left \(no link"),
    ):
        bed.wait_ready(0.2)


@pytest.mark.system
def test_no_host_process_outlives_the_bed(relay: Relay) -> None:
    with Traffic(plans(relay.paths)) as bed:
        processes = [host.process for host in bed._hosts]

    assert [0, 0] == [process.returncode for process in processes]

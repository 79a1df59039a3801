"""Traffic over `udp:` ports: what is missing is what the kernel dropped, and nothing else."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.testing import HostPlan, Router, Traffic
from jsupervisor.testing.traffic.flows import split

pytestmark = pytest.mark.system

FLOWS = split(1000.0, lab.PAIRS)


def free_ports(count: int) -> list[int]:
    """UDP ports of the loopback that nobody has."""
    socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for sock in socks:
        sock.bind(("127.0.0.1", 0))
    ports = [int(sock.getsockname()[1]) for sock in socks]
    for sock in socks:
        sock.close()
    return ports


def test_rpd_dies_and_the_router_loses_nothing(tmp_path: Path) -> None:
    numbers = free_ports(4)
    left, right = (f"udp:{numbers[i]},{numbers[i + 1]}" for i in (0, 2))
    hosts = [
        HostPlan(
            "left",
            left,
            "02:00:5e:00:00:02",
            ("192.0.2.2", "2001:db8:1::2"),
            ("192.0.2.1", "2001:db8:1::1"),
            sends=FLOWS,
        ),
        HostPlan(
            "right",
            right,
            "02:00:5e:00:01:02",
            ("198.51.100.2", "2001:db8:2::2"),
            counts=FLOWS,
        ),
    ]
    ports = {lab.LEFT: left, lab.RIGHT: right}
    with (
        Router.boot(ports=ports, config=lab.config(Inputs()), home=tmp_path) as router,
        Traffic(hosts) as traffic,
    ):
        traffic.wait_ready(10.0)
        start = traffic.start()
        # The first packets may be lost to the resolution of the right host's addresses.
        begin = start + 500_000_000
        assert traffic.settle(begin, 10.0)
        report = router.inject("kill", "rpd")
        end = traffic.stop()
        traffic.settle(end, 2.0)
        loss = traffic.loss(begin, end)
        dropped = traffic.socket_dropped()

    assert report.recovered
    assert loss.offered > 0
    assert dropped == loss.lost

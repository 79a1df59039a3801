"""Two routers back to back, a host behind each, and a death on the way. Needs no root.

       left ── ge-0/0/0 ┌────┐ ge-0/0/1 ── ge-0/0/1 ┌────┐ ge-0/0/0 ── right
       192.0.2.2        │ r1 │    10.0.0.0/30 (udp) │ r2 │        198.51.100.2
                        └────┘                      └────┘

The routers are joined by two UDP ports of the loopback interface, the hosts by unix sockets. While
traffic runs, the routing process of the second router is killed: nothing may be lost.

    python examples/two_routers.py
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from pathlib import Path

from jsupervisor.testing import Flow, HostPlan, Router, Traffic

RATE = 2000.0

R1 = """
system host-name r1;
interfaces {
    ge-0/0/0 unit 0 family inet address 192.0.2.1/24;
    ge-0/0/1 unit 0 family inet address 10.0.0.1/30;
}
routing-options static route 198.51.100.0/24 next-hop 10.0.0.2;
"""

R2 = """
system host-name r2;
interfaces {
    ge-0/0/0 unit 0 family inet address 198.51.100.1/24;
    ge-0/0/1 unit 0 family inet address 10.0.0.2/30;
}
routing-options static route 192.0.2.0/24 next-hop 10.0.0.1;
"""


def free_ports() -> tuple[int, int]:
    """Two UDP ports that nobody uses now."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def hosts(folder: Path) -> tuple[HostPlan, HostPlan]:
    """Who sends, and who counts."""
    flow = Flow(1, "192.0.2.2", "198.51.100.2", RATE)
    left = HostPlan(
        name="left",
        link=f"unix:{folder}/left",
        mac="02:00:00:00:00:01",
        addresses=("192.0.2.2",),
        gateways=("192.0.2.1",),
        sends=(flow,),
    )
    right = HostPlan(
        name="right",
        link=f"unix:{folder}/right",
        mac="02:00:00:00:00:02",
        addresses=("198.51.100.2",),
        counts=(flow,),
    )
    return left, right


def first_arrival(traffic: Traffic) -> int:
    """Wait until packets come through; that moment, as CLOCK_MONOTONIC ns.

    A port's link comes up with its host, and its route a moment later.
    """
    deadline = time.monotonic() + 10
    while traffic.totals().received == 0:
        if time.monotonic() > deadline:
            raise TimeoutError("cannot see any packet come through")
        time.sleep(0.01)
    return time.monotonic_ns()


def main() -> int:
    """The exit status: 0 when nothing was lost."""
    a, b = free_ports()
    with tempfile.TemporaryDirectory() as folder:
        left, right = hosts(Path(folder))
        r1_ports = {"ge-0/0/0": left.link, "ge-0/0/1": f"udp:{a},{b}"}
        r2_ports = {"ge-0/0/0": right.link, "ge-0/0/1": f"udp:{b},{a}"}
        with (
            Router.boot("vmx", ports=r1_ports, config=R1),
            Router.boot("vmx", ports=r2_ports, config=R2) as r2,
            Traffic([left, right]) as traffic,
        ):
            traffic.wait_ready(10)
            traffic.start()
            begin = first_arrival(traffic)
            report = r2.inject("kill", "rpd")
            end = traffic.stop()
            traffic.settle(end, 5)
            loss = traffic.loss(begin, end)
    print(*report.lines(), sep="\n")
    print(f"{loss.offered} packets through two routers, {loss.lost} lost")
    return 0 if report.recovered and loss.offered and not loss.lost else 1


if __name__ == "__main__":
    sys.exit(main())

"""Two routers back to back, no root: a host behind each, and rpd of both killed while they talk.

    python examples/two_routers.py

Left host -- ge-0/0/0 [r1] ge-0/0/1 -- udp -- ge-0/0/1 [r2] ge-0/0/0 -- right host
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from jsupervisor.testing import HostPlan, Router, Traffic
from jsupervisor.testing.traffic.flows import split


def config(name: str, own: str, between: str, far: str, gateway: str) -> str:
    """A router with a host's subnet, the subnet between the two, and a route to the far side."""
    return f"""
        system {{ host-name {name}; }}
        interfaces {{
            ge-0/0/0 {{ unit 0 {{ family inet {{ address {own}; }} }} }}
            ge-0/0/1 {{ unit 0 {{ family inet {{ address {between}; }} }} }}
        }}
        routing-options {{ static {{ route {far} next-hop {gateway}; }} }}
    """


def main() -> int:
    """Run it; 0 when not one packet was lost."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        flows = split(1_000, [("192.0.2.2", "198.51.100.2")])
        left = HostPlan(
            name="left",
            link=f"unix:{Path(folder) / 'left'}",
            mac="02:00:00:00:00:01",
            addresses=("192.0.2.2",),
            gateways=("192.0.2.1",),
            sends=flows,
        )
        right = HostPlan(
            name="right",
            link=f"unix:{Path(folder) / 'right'}",
            mac="02:00:00:00:00:02",
            addresses=("198.51.100.2",),
            gateways=("198.51.100.1",),
            counts=flows,
        )
        first = {"ge-0/0/0": left.link, "ge-0/0/1": "udp:47101,47102"}
        second = {"ge-0/0/0": right.link, "ge-0/0/1": "udp:47102,47101"}
        r1 = config("r1", "192.0.2.1/24", "203.0.113.1/30", "198.51.100.0/24", "203.0.113.2")
        r2 = config("r2", "198.51.100.1/24", "203.0.113.2/30", "192.0.2.0/24", "203.0.113.1")
        with (
            Router.boot(ports=first, config=r1) as one,
            Router.boot(ports=second, config=r2) as two,
            Traffic([left, right]) as traffic,
        ):
            traffic.wait_ready(10)
            begin = traffic.start()
            for router in (one, two):
                report = router.inject("kill", "rpd")
                print(f"rpd killed, ready again after {report.ready_ms:.1f} ms")
            end = traffic.stop()
            traffic.settle(end, 5)
            loss = traffic.loss(begin, end)
    print(f"{loss.offered} packets offered, {loss.lost} lost")
    return 0 if loss.offered and not loss.lost else 1


if __name__ == "__main__":
    sys.exit(main())

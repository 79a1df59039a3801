"""The demo's network: one router, a generator on its left, a sink on its right, a third port.

       generator ── ge-0/0/0 ┌────────┐ ge-0/0/1 ── sink
       192.0.2.2             │ router │             198.51.100.2
       2001:db8:1::2         └────────┘             2001:db8:2::2
                              ge-0/0/2 ── a peer that comes and goes

All addresses are those set aside for documentation (RFC 5737, RFC 3849) or private.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jsupervisor.testing.traffic.flows import Flow, HostPlan, split

LEFT: Final = "ge-0/0/0"
RIGHT: Final = "ge-0/0/1"
THIRD: Final = "ge-0/0/2"
THIRD_PREFIX: Final = "203.0.113.0/24"
STATIC_PREFIX: Final = "10.30.0.0/16"
LOOPBACK: Final = "10.255.255.1/32"
ADDRESS_PREFIX: Final = "10.255.0.1/32"
EDITED_PREFIX: Final = "10.20.0.0/16"
PAIRS: Final = [
    ("192.0.2.2", "198.51.100.2"),
    ("192.0.2.2", "10.1.0.1"),
    ("2001:db8:1::2", "2001:db8:2::2"),
    ("2001:db8:1::2", "2001:db8:f::1"),
]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the demo changes in the configuration."""

    static: bool = False
    address: bool = False
    edited: bool = False


def config(inputs: Inputs) -> str:
    """The configuration's text."""
    extra = []
    if inputs.static:
        extra.append(f"        route {STATIC_PREFIX} next-hop 198.51.100.2;")
    if inputs.edited:
        extra.append(f"        route {EDITED_PREFIX} discard;")
    loopback = [LOOPBACK, ADDRESS_PREFIX] if inputs.address else [LOOPBACK]
    return "\n".join(
        [
            "system {",
            "    host-name demo;",
            "}",
            "interfaces {",
            *_interface(LEFT, ["192.0.2.1/24"], ["2001:db8:1::1/64"]),
            *_interface(RIGHT, ["198.51.100.1/24"], ["2001:db8:2::1/64"]),
            *_interface(THIRD, ["203.0.113.1/24"], []),
            *_interface("lo0", loopback, []),
            "}",
            "routing-options {",
            "    static {",
            "        route 10.1.0.0/16 next-hop 198.51.100.2;",
            *extra,
            "    }",
            "    rib inet6.0 {",
            "        static {",
            "            route 2001:db8:f::/48 next-hop 2001:db8:2::2;",
            "        }",
            "    }",
            "}",
            "",
        ]
    )


def _interface(name: str, inet: list[str], inet6: list[str]) -> list[str]:
    lines = [f"    {name} {{", "        unit 0 {"]
    for family, addresses in (("inet", inet), ("inet6", inet6)):
        if addresses:
            lines.append(f"            family {family} {{")
            lines.extend(f"                address {address};" for address in addresses)
            lines.append("            }")
    return [*lines, "        }", "    }"]


def ports(folder: Path) -> dict[str, str]:
    """Port specifications: sockets in the instance's own run folder, which goes with it."""
    return {name: f"unix:{_path(folder, name)}" for name in (LEFT, RIGHT, THIRD)}


def _path(folder: Path, name: str) -> Path:
    return folder / f"port-{name.replace('/', '.')}"


def hosts(folder: Path, rate: float, seconds: int) -> tuple[HostPlan, HostPlan]:
    """The generator and the sink."""
    flows: tuple[Flow, ...] = split(rate, PAIRS)
    generator = HostPlan(
        name="generator",
        link=f"unix:{_path(folder, LEFT)}",
        mac="02:00:5e:00:00:02",
        addresses=("192.0.2.2", "2001:db8:1::2"),
        gateways=("192.0.2.1", "2001:db8:1::1"),
        sends=flows,
        seconds=seconds,
    )
    sink = HostPlan(
        name="sink",
        link=f"unix:{_path(folder, RIGHT)}",
        mac="02:00:5e:00:01:02",
        addresses=("198.51.100.2", "2001:db8:2::2"),
        counts=flows,
        seconds=seconds,
    )
    return generator, sink


class ThirdPeer:
    """Whoever is attached to the third port: nobody, or a socket that says nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = str(_path(folder, THIRD))
        self._sock: socket.socket | None = None

    @property
    def attached(self) -> bool:
        """Is the port's link up?"""
        return self._sock is not None

    def attach(self) -> None:
        """Connect; raises OSError."""
        if self._sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
            try:
                sock.settimeout(2.0)
                sock.connect(self._path)
            except BaseException:
                sock.close()
                raise
            self._sock = sock

    def detach(self) -> None:
        """Disconnect."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

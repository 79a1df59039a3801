"""Two engines of one router, joined by the fabric."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jdaemons.pfe import packets as p
from jdaemons.pfe.engine import Engine
from jdaemons.pfe.fabric import Fabric
from jdaemons.pfe.fakes import (
    ADDRESSES,
    MAC,
    NEXT_HOPS,
    PORTS,
    ROUTES,
    Bench,
    answer,
    drops,
    forwarded,
    frame,
    ip,
    received,
    turn,
)
from jdaemons.pfe.segment import FABRIC_ROW
from jdaemons.pfe.slowpath import SlowPath
from jdaemons.pfe.values import REMOTE_PORT, NextHop, Port
from jsupervisor.runtime.fakes import make_order

RIGHT = "ge-1/0/0"


def fpc_of(hop: NextHop) -> NextHop:
    """The right port is port 1 of FPC 1."""
    return replace(hop, fpc=hop.port)


def two(bench: Bench) -> list[Engine]:
    """FPC 0 with the left port, FPC 1 with the right one."""
    ports = {"ge-0/0/0": f"unix:{bench.run_dir}/left", RIGHT: f"unix:{bench.run_dir}/right"}
    engines = []
    for fpc in (0, 1):
        order = make_order(
            bench.run_dir, f"pfe{fpc}", options={"fpc": fpc}, ports=ports, shares=("fabric",)
        )
        engines.append(bench.engine(order))
        writer = bench.writer(f"pfe{fpc}")
        own = PORTS[0] if fpc == 0 else Port(name=RIGHT, mac=MAC[1], mtu=1514)
        addresses = [
            each if each.port in (fpc, 0xFFFF) else replace(each, port=REMOTE_PORT)
            for each in ADDRESSES
        ]
        writer.set_ports({fpc: own}, addresses)
        writer.set_next_hops(fpc_of(hop) for hop in (reversed(NEXT_HOPS) if fpc else NEXT_HOPS))
        writer.change_routes(ROUTES, [])
    return engines


PAIRS = [
    ("192.0.2.2", "198.51.100.2"),
    ("192.0.2.2", "10.1.2.3"),
    ("2001:db8:1::2", "2001:db8:2::2"),
    ("2001:db8:1::2", "2001:db8:f::1"),
]


def test_a_packet_crosses_the_fabric_and_is_sent_by_the_other_engine(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = two(bench)
    left, right = bench.host("left"), bench.host("right")
    turn(engines)
    for pair in PAIRS:
        left.send(frame(*pair))
    turn(engines)
    first = answer(right)
    turn(engines)
    first += received(right)
    monkeypatch.setattr(SlowPath, "from_port", None)
    monkeypatch.setattr(SlowPath, "from_fabric", None)
    for pair in PAIRS:
        left.send(frame(*pair))
    turn(engines)

    assert sorted(forwarded(*pair) for pair in PAIRS) == sorted(first)
    assert [forwarded(*pair) for pair in PAIRS] == received(right)


def test_packets_wait_for_an_engine_that_restarts(bench: Bench) -> None:
    engines = two(bench)
    left, right = bench.host("left"), bench.host("right")
    turn(engines)
    left.send(frame(*PAIRS[0]))
    turn(engines)
    answer(right)
    turn(engines)
    received(right)
    order = engines[1].order
    engines[1].close()
    left.send(frame(*PAIRS[0]))
    turn(engines[0])
    turn(bench.engine(order))

    assert [forwarded(*PAIRS[0])] == received(right)


def test_an_echo_to_a_port_of_another_fpc_is_answered_where_it_came_in(bench: Bench) -> None:
    engines = two(bench)
    left = bench.host("left")
    turn(engines)
    ask = p.icmp4(ip("192.0.2.2"), ip("198.51.100.1"), 8, 0, b"\0\1\0\1abc")
    left.send(p.ethernet(MAC[0], b"\x02\0\0\0\0\x02", p.ETH_IPV4, ask))
    turn(engines)
    answer(left, 0)
    turn(engines)
    (reply,) = received(left)

    assert ip("198.51.100.1") + ip("192.0.2.2") == reply[26:34]
    assert 0 == reply[34]


def test_a_packet_too_big_for_the_far_port_is_told_by_the_far_engine(bench: Bench) -> None:
    engines = two(bench)
    left, right = bench.host("left"), bench.host("right")
    bench.writer("pfe1").set_ports({1: Port(name=RIGHT, mac=MAC[1], mtu=1294)}, ADDRESSES)
    turn(engines)
    left.send(frame(*PAIRS[2], payload=bytes(1400)))
    turn(engines)
    answer(left, 0)
    turn(engines)
    (error,) = [each for each in received(left) if each[20] == p.ICMPV6]

    assert [2, 0] == list(error[54:56])
    assert 1280 == int.from_bytes(error[58:62])
    assert [] == received(right)
    assert {"too-big": 1} == drops(bench.segment("pfe1"), FABRIC_ROW)


def test_an_fpc_without_an_engine_costs_its_own_packets(bench: Bench) -> None:
    order = replace(bench.order, shares=("fabric",))
    engine = bench.engine(order)
    writer = bench.writer()
    writer.set_ports({0: PORTS[0]}, ADDRESSES)
    writer.set_next_hops(fpc_of(hop) for hop in NEXT_HOPS)
    writer.change_routes(ROUTES, [])
    left = bench.host("left")
    turn(engine)
    left.send(frame(*PAIRS[0]))
    left.send(frame(*PAIRS[2]))
    turn(engine)

    assert {"fabric": 2} == drops(bench.segment(), 0)


def test_half_a_pair_is_made_anew(bench: Bench) -> None:
    two(bench)
    host = bench.engine(make_order(bench.run_dir, "pfe0", shares=("fabric",))).host
    host.drop("fabric/0/out")
    fabric = Fabric(0, host)
    again = Fabric(0, host)
    other = Fabric(1, host)
    sent = other.send(0, b"x" * 40, 0)
    for each in (fabric, again, other):
        each.close()

    assert sent

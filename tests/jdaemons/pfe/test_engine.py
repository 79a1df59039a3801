"""The engine, turned by hand, between two unix ports."""

from __future__ import annotations

import socket

from jdaemons.pfe import packets as p
from jdaemons.pfe.engine import Engine
from jdaemons.pfe.fakes import HOST_MAC, MAC, Bench, drops, install, ip, received, turn


def frame(source: str, destination: str, *, ttl: int = 64, payload: bytes = b"x" * 26) -> bytes:
    """A UDP-like packet of the left host, for the router's MAC."""
    build = p.ipv6 if ":" in source else p.ipv4
    kind = p.ETH_IPV6 if ":" in source else p.ETH_IPV4
    packet = build(ip(source), ip(destination), p.UDP, payload, ttl)
    return p.ethernet(MAC[0], HOST_MAC[0], kind, packet)


def forwarded(source: str, destination: str, ttl: int = 63) -> bytes:
    """The same as the right host must see it."""
    return HOST_MAC[1] + MAC[1] + frame(source, destination, ttl=ttl)[12:]


def answer(sock: socket.socket) -> list[bytes]:
    """Answer every question for a neighbour as the right host; the other frames."""
    others = []
    for each in received(sock):
        arp = p.parse_arp(each[14:]) if each[12:14] == b"\x08\x06" else None
        question = p.parse_discovery(each[14:]) if each[12:14] == b"\x86\xdd" else None
        if arp is not None and arp.operation == 1:
            reply = p.Arp(2, HOST_MAC[1], arp.target, arp.sender_mac, arp.sender)
            sock.send(p.build_arp(reply, arp.sender_mac))
        elif question is not None and not question.advertisement:
            sock.send(p.advertise(HOST_MAC[1], question.target, MAC[1], question.source))
        else:
            others.append(each)
    return others


def start(bench: Bench) -> tuple[Engine, socket.socket, socket.socket]:
    """An engine with the usual network and both hosts attached."""
    engine = bench.engine()
    install(bench.writer())
    hosts = bench.host("left"), bench.host("right")
    turn(engine)
    return engine, *hosts


def test_a_packet_waits_for_its_neighbour_and_is_forwarded(bench: Bench) -> None:
    engine, left, right = start(bench)
    for destination in ("198.51.100.2", "10.1.2.3"):
        left.send(frame("192.0.2.2", destination))
    turn(engine)
    answer(right)
    turn(engine)
    expected = [forwarded("192.0.2.2", each) for each in ("198.51.100.2", "10.1.2.3")]

    assert expected == received(right)
    assert {} == drops(bench.segment(), 0)


def test_ipv6_is_forwarded_likewise(bench: Bench) -> None:
    engine, left, right = start(bench)
    for destination in ("2001:db8:2::2", "2001:db8:f::1"):
        left.send(frame("2001:db8:1::2", destination))
    turn(engine)
    answer(right)
    turn(engine)
    expected = [forwarded("2001:db8:1::2", each) for each in ("2001:db8:2::2", "2001:db8:f::1")]

    assert expected == received(right)


def test_a_known_neighbour_is_reached_by_the_vector_path(bench: Bench) -> None:
    engine, left, right = start(bench)
    left.send(frame("192.0.2.2", "198.51.100.2"))
    turn(engine)
    answer(right)
    turn(engine)
    received(right)
    engine.slow.from_port = None  # type: ignore[method-assign, assignment]
    many = [frame("192.0.2.2", f"198.51.100.{2}", payload=bytes((i,)) * 26) for i in range(100)]
    for each in many:
        left.send(each)
    turn(engine)

    assert 100 == len(received(right))
    segment = bench.segment()
    assert 101 == segment.links["input_packets"][0]

"""The engine, turned by hand, between two unix ports."""

from __future__ import annotations

import random
import socket
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jdaemons.pfe import packets as p
from jdaemons.pfe.engine import Engine
from jdaemons.pfe.fakes import (
    HOST_MAC,
    MAC,
    PORTS,
    Bench,
    answer,
    drops,
    forwarded,
    frame,
    install,
    ip,
    received,
    resolved,
    start,
    turn,
)
from jdaemons.pfe.segment import BATCH, FABRIC_ROW
from jdaemons.pfe.slowpath import SlowPath

V4, V6 = ("192.0.2.2", "198.51.100.2"), ("2001:db8:1::2", "2001:db8:2::2")


@pytest.mark.parametrize(
    ("source", "destinations"),
    [("192.0.2.2", ("198.51.100.2", "10.1.2.3")), (V6[0], (V6[1], "2001:db8:f::1"))],
)
def test_a_packet_waits_for_its_neighbour_and_is_forwarded(
    bench: Bench, source: str, destinations: tuple[str, ...]
) -> None:
    engine, left, right = start(bench)
    for destination in destinations:
        left.send(frame(source, destination))
    turn(engine)
    answer(right)
    turn(engine)

    assert [forwarded(source, each) for each in destinations] == received(right)
    assert {} == drops(bench.segment(), 0)


def test_a_known_neighbour_is_reached_without_the_slow_path(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, left, right = resolved(bench)
    segment = bench.segment()
    before = int(segment.links["output_packets"][1])
    monkeypatch.setattr(SlowPath, "from_port", None)
    payloads = [bytes((i,)) * 26 for i in range(150)]
    pairs = [V4, ("192.0.2.2", "10.1.2.3"), V6, (V6[0], "2001:db8:f::1")]
    for index, payload in enumerate(payloads):
        left.send(frame(*pairs[index % 4], payload=payload))
    turn(engine)
    expected = [forwarded(*pairs[i % 4], payload=each) for i, each in enumerate(payloads)]

    assert expected == received(right)
    assert before + 150 == segment.links["output_packets"][1]
    slot = engine.adjacencies.slots[3]
    assert 38 == segment.next_hop_packets[slot]
    assert 38 * len(frame(*V4)) == segment.next_hop_bytes[slot]


def test_padding_does_not_go_further(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    short = frame(*V4, payload=b"abc")
    left.send(short + bytes(60 - len(short)))
    turn(engine)

    assert [forwarded(*V4, payload=b"abc")] == received(right)


def test_a_frame_as_long_as_the_mtu_passes_whole(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    payloads = bytes(range(256)) * 5 + bytes(200), bytes(range(256)) * 5 + bytes(180)
    left.send(frame(*V4, payload=payloads[0]))
    left.send(frame(*V6, payload=payloads[1]))
    turn(engine)

    assert [
        forwarded(*V4, payload=payloads[0]),
        forwarded(*V6, payload=payloads[1]),
    ] == received(right)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"\x02" * 12 + b"\x08\x00" + bytes(40), "not-for-us"),
        (MAC[0] + HOST_MAC[0] + b"\x88\xcc" + bytes(40), "unknown-protocol"),
        (MAC[0][:5], "runt"),
        (MAC[0] + bytes(2100), "oversize"),
        (frame(*V4)[:25], "bad-header"),
        (frame(*V6)[:50], "bad-header"),
        (frame(*V4)[:-1], "bad-header"),
        (frame(*V6)[:-1], "bad-header"),
        (frame(*V4)[:24] + b"\0\0" + frame(*V4)[26:], "bad-checksum"),
        (frame("127.0.0.1", V4[1]), "martian"),
        (frame("224.0.0.1", V4[1]), "martian"),
        (frame(V4[0], "127.0.0.1"), "martian"),
        (frame(V4[0], "0.0.0.1"), "martian"),
        (frame("ff02::1", V6[1]), "martian"),
        (frame(V6[0], "::1"), "martian"),
        (frame(V6[0], "fe80::99"), "martian"),
        (frame(V4[0], "224.0.0.5"), "multicast"),
        (frame(V4[0], "255.255.255.255"), "multicast"),
        (frame(V6[0], "ff02::5"), "multicast"),
        (frame(V4[0], "10.66.1.1"), "discard-route"),
        (frame(V4[0], "8.8.8.8"), "no-route"),
        (frame(V4[0], "10.77.0.1"), "reject-route"),
        (frame(*V4, ttl=1), "ttl-expired"),
        (frame(*V6, ttl=0), "ttl-expired"),
        (frame(V4[0], "192.0.2.1"), "local"),
    ],
)
def test_what_goes_no_further_is_counted_by_reason(
    bench: Bench, octets: bytes, reason: str
) -> None:
    engine, left, right = resolved(bench)
    left.send(octets)
    turn(engine)

    assert {reason: 1} == drops(bench.segment(), 0)
    assert [] == received(right)


def test_a_port_without_an_interface_takes_nothing(bench: Bench) -> None:
    engine, left, _ = start(bench)
    bench.writer().set_ports({1: PORTS[1], 0: replace(PORTS[0], up=False)}, [])
    left.send(frame(*V4))
    turn(engine)

    assert {"no-interface": 1} == drops(bench.segment(), 0)


def test_a_successor_forwards_at_once(bench: Bench) -> None:
    first, left, right = resolved(bench)
    first.close()
    left.send(frame(*V4))
    left.send(frame(*V6))
    second = bench.engine()
    turn(second)

    assert [forwarded(*V4), forwarded(*V6)] == received(right)


def test_a_batch_that_a_dead_engine_had_received_is_forwarded_by_its_successor(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, left, right = resolved(bench)
    payloads = [bytes((i,)) * 26 for i in range(9)]
    for payload in payloads:
        left.send(frame(*V4, payload=payload))
    monkeypatch.setattr(Engine, "_work", _die)
    with pytest.raises(KeyboardInterrupt):
        turn(engine)
    monkeypatch.undo()
    turn(bench.engine())

    assert [forwarded(*V4, payload=each) for each in payloads] == received(right)


def test_not_even_a_death_inside_the_receiving_call_loses_a_batch(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    left.send(frame(*V4))
    left.send(frame(*V6))
    receiver, guard = engine._receiver, engine.segment.guard
    receiver.clear()
    guard[0] = (0, 0, 1, 0)
    receiver.receive(next(fd for fd, (each, _) in engine._polled.items() if _peer(each, fd)))
    turn(bench.engine())

    assert [forwarded(*V4), forwarded(*V6)] == received(right)


def _peer(binding: object, fd: int) -> bool:
    port = binding.port  # type: ignore[attr-defined]
    return bool(port.name.endswith("0") and fd == port._peer.fileno())


def _die(*args: object) -> None:
    raise KeyboardInterrupt


def test_a_packet_that_kills_two_engines_is_dropped_and_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, left, right = resolved(bench)
    payloads = [bytes((i,)) * 26 for i in range(20)]
    for payload in payloads:
        left.send(frame(*V4, payload=payload))
    work = Engine._work

    def deadly(self: Engine, row: int, binding: object, first: int, count: int) -> None:
        rows = self.segment.frames[first : first + count, 14 + 20]
        if 13 in rows:
            raise KeyboardInterrupt
        work(self, row, binding, first, count)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_work", deadly)
    with pytest.raises(KeyboardInterrupt):
        turn(engine)
    with pytest.raises(KeyboardInterrupt):
        bench.engine()
    turn(bench.engine())
    del payloads[13]

    assert [forwarded(*V4, payload=each) for each in payloads] == received(right)
    assert {"poison": 1} == drops(bench.segment(), 0)


def test_a_stalled_peer_costs_its_own_packets_alone(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    third = bench.host("left")
    right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    port = engine._bindings[1].port
    port._peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)  # type: ignore[attr-defined]
    third.close()
    for _ in range(10):
        for _ in range(200):
            left.send(frame(*V4))
        turn(engine, 2)
    segment = bench.segment()
    lost = drops(segment, 1)["output-full"]
    waiting = len(port.queue)
    left.send(p.ethernet(MAC[0], HOST_MAC[0], p.ETH_IPV4, _echo("192.0.2.2", "192.0.2.1")))
    turn(engine)

    assert 1024 == waiting
    assert 1 == len(received(left))
    got = 0
    while batch := received(right):
        got += len(batch)
        turn(engine, 1)
    assert 2000 == got + lost


def _echo(source: str, destination: str) -> bytes:
    return p.icmp4(ip(source), ip(destination), 8, 0, b"\0\1\0\1payload")


def test_a_link_goes_down_with_its_peer_and_comes_back_with_the_next(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    segment = bench.segment()
    right.close()
    turn(engine)
    down = segment.links["up"][:2].tolist()
    left.send(frame(*V4))
    turn(engine)
    again = bench.host("right")
    turn(engine)
    engine.slow.tick(engine._now + 2_000_000_000)
    turn(engine)
    answer(again)
    turn(engine)

    assert [1, 0] == down
    assert [1, 1] == segment.links["up"][:2].tolist()
    assert [forwarded(*V4)] == received(again)


def test_a_second_peer_is_turned_away(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    other = bench.host("left")
    turn(engine)
    left.send(frame(*V4))
    turn(engine)

    assert b"" == other.recv(10)
    assert [forwarded(*V4)] == received(right)


def test_a_port_that_cannot_be_opened_is_told_and_the_others_work(bench: Bench) -> None:
    ports = {**bench.order.ports, "ge-0/0/2": "unix:/nowhere/at/all", "ge-0/0/3": "ping:pong"}
    engine = bench.engine(ports=ports)
    install(bench.writer())
    bench.host("left")
    turn(engine)
    links = bench.segment().links

    assert [1, 0, 0, 0] == links["up"][:4].tolist()
    assert b"cannot open port /nowhere/at/all: No such file or directory" == links["error"][2]
    assert links["error"][3].startswith(b"cannot use port spec 'ping:pong'")


def test_ports_of_other_fpcs_are_not_ours(bench: Bench) -> None:
    engine = bench.engine(ports={"ge-1/0/0": "unix:/nowhere/left", "lo0": "unix:/nowhere/lo"})
    turn(engine)

    assert not bench.segment().links["used"].any()


def test_the_stages_are_reported_in_order(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, _, _ = resolved(bench)
    engine.host.stopping = True
    monkeypatch.setattr(Engine, "prepare", lambda self: None)
    engine.run()
    bench.init.settle()
    stages = [str(each["stage"]) for each in bench.init.last.reports]

    assert ["forwarding", "serving", "ready"] == stages


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_random_octets_never_raise(bench: Bench, seed: int) -> None:
    rng = random.Random(seed)
    known = [frame(*V4), frame(*V6), frame(V6[0], "2001:db8:1::1"), frame(V4[0], "192.0.2.1")]
    engine = getattr(bench, "fuzzed", None)
    if engine is None:
        engine, left, right = resolved(bench)
        bench.fuzzed, bench.left, bench.right = engine, left, right  # type: ignore[attr-defined]
    left, right = bench.left, bench.right  # type: ignore[attr-defined]
    for _ in range(64):
        octets = bytearray(rng.choice(known))
        for _ in range(rng.randrange(0, 6)):
            octets[rng.randrange(len(octets))] = rng.getrandbits(8)
        cut = rng.randrange(1, len(octets) + 1) if rng.random() < 0.3 else len(octets)
        left.send(
            bytes(octets[:cut]) if rng.random() < 0.9 else rng.randbytes(rng.randrange(1, 99))
        )
    turn(engine, 2)
    received(left)
    received(right)

    assert 0 == engine.segment.guard["attempt"][0]


def test_a_full_batch_and_more_is_forwarded_in_order(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    payloads = [index.to_bytes(26) for index in range(2 * BATCH + 7)]
    got = []
    for payload in payloads:
        while True:
            try:
                left.send(frame(*V4, payload=payload))
                break
            except BlockingIOError:
                turn(engine, 1)
                got += received(right)
    turn(engine, 5)
    got += received(right)

    assert [forwarded(*V4, payload=each) for each in payloads] == got
    assert {} == drops(bench.segment(), FABRIC_ROW)

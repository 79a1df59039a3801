"""What the router says of itself: neighbours, echo, errors; and what it must not say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jdaemons.pfe import packets as p
from jdaemons.pfe.adjacency import Kind
from jdaemons.pfe.checksum import checksum, transport_checksum
from jdaemons.pfe.fakes import (
    ADDRESSES,
    HOST_MAC,
    MAC,
    PORTS,
    Bench,
    drops,
    frame,
    ip,
    received,
    resolved,
    start,
    turn,
)
from jdaemons.pfe.values import Port

V4, V6 = ("192.0.2.2", "198.51.100.2"), ("2001:db8:1::2", "2001:db8:2::2")
LINK_LOCAL = p.link_local(MAC[0])
HOST_LINK_LOCAL = p.link_local(HOST_MAC[0])


def to_router(packet: bytes) -> bytes:
    kind = p.ETH_IPV4 if packet[0] >> 4 == 4 else p.ETH_IPV6
    return p.ethernet(MAC[0], HOST_MAC[0], kind, packet)


def only(frames: list[bytes]) -> bytes:
    (frame,) = frames
    return frame


# -- neighbours ------------------------------------------------------------------------------------


def test_an_arp_request_is_answered_byte_for_byte(bench: Bench) -> None:
    engine, left, _ = start(bench)
    start_of_arp = "0806 0001 0800 06 04 "
    request = "0001 020000000002 c0000202 000000000000 c0000201"
    left.send(bytes.fromhex("ffffffffffff 020000000002" + start_of_arp + request))
    turn(engine)
    reply = "0002 02aa00000000 c0000201 020000000002 c0000202"
    expected = bytes.fromhex("020000000002 02aa00000000" + start_of_arp + reply)

    assert expected == only(received(left))


@pytest.mark.parametrize("target", ["192.0.2.9", "198.51.100.1", "10.255.255.1"])
def test_an_arp_request_for_anything_else_is_not(bench: Bench, target: str) -> None:
    engine, left, _ = start(bench)
    left.send(
        p.build_arp(p.Arp(1, HOST_MAC[0], ip("192.0.2.2"), bytes(6), ip(target)), p.BROADCAST)
    )
    turn(engine)

    assert [] == received(left)


@pytest.mark.parametrize(
    ("target", "source"),
    [
        (ip("2001:db8:1::1"), ip("2001:db8:1::2")),
        (LINK_LOCAL, HOST_LINK_LOCAL),
        (LINK_LOCAL, ip("2001:db8:1::2")),
    ],
)
def test_a_solicitation_is_answered(bench: Bench, target: bytes, source: bytes) -> None:
    engine, left, _ = start(bench)
    left.send(p.solicit(HOST_MAC[0], source, target))
    turn(engine)
    reply = only(received(left))
    message = p.parse_discovery(reply[14:])

    assert p.Discovery(True, target, target, MAC[0], True, True) == message
    assert HOST_MAC[0] + MAC[0] == reply[:12]
    assert 0 == transport_checksum(reply[22:38], reply[38:54], 58, reply[54:])


def test_a_search_for_duplicates_is_answered_to_all_nodes(bench: Bench) -> None:
    engine, left, _ = start(bench)
    target = ip("2001:db8:1::1")
    group = p.solicited_node(target)
    packet = p.icmp6(bytes(16), group, p.SOLICIT, 0, bytes(4) + target, 255)
    left.send(p.ethernet(p.multicast_mac(group), HOST_MAC[0], p.ETH_IPV6, packet))
    turn(engine)
    reply = only(received(left))

    assert p.Discovery(True, target, target, MAC[0], False, True) == p.parse_discovery(reply[14:])
    assert p.ALL_NODES == reply[38:54]


def test_a_spoofed_answer_nobody_asked_for_is_not_believed(bench: Bench) -> None:
    engine, left, _ = start(bench)
    left.send(p.build_arp(p.Arp(2, HOST_MAC[0], ip("192.0.2.77"), MAC[0], ip("192.0.2.1")), MAC[0]))
    left.send(p.advertise(HOST_MAC[0], ip("2001:db8:1::77"), MAC[0], ip("2001:db8:1::1")))
    turn(engine)

    assert not bench.segment().neighbours["family"].any()


def test_a_sender_from_another_subnet_is_answered_but_not_learned(bench: Bench) -> None:
    engine, left, _ = start(bench)
    left.send(
        p.build_arp(
            p.Arp(1, HOST_MAC[0], ip("203.0.113.9"), bytes(6), ip("192.0.2.1")), p.BROADCAST
        )
    )
    turn(engine)

    assert 1 == len(received(left))
    assert not bench.segment().neighbours["family"].any()


@pytest.mark.parametrize(
    "octets",
    [
        p.ethernet(MAC[0], HOST_MAC[0], p.ETH_ARP, b"short"),
        p.ethernet(MAC[0], HOST_MAC[0], p.ETH_ARP, bytes(28)),
        to_router(p.icmp6(ip(V6[0]), ip("2001:db8:1::1"), 135, 0, bytes(20), 64)),
        to_router(p.icmp6(ip(V6[0]), ip("2001:db8:1::1"), 135, 0, bytes(20) + b"\1\0", 255)),
        to_router(p.icmp6(ip(V6[0]), ip("2001:db8:1::1"), 135, 1, bytes(20), 255)),
        to_router(p.icmp6(ip(V6[0]), ip("2001:db8:1::1"), 136, 0, b"\0" * 4 + b"\xff" * 16, 255)),
    ],
)
def test_a_malformed_message_of_a_neighbour_is_counted(bench: Bench, octets: bytes) -> None:
    engine, left, _ = start(bench)
    left.send(octets)
    turn(engine)

    assert {"bad-neighbour": 1} == drops(bench.segment(), 0)


def test_a_known_neighbour_is_probed_by_unicast_and_forwarding_goes_on(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    engine.slow.tick(engine._now + 31_000_000_000)
    asked = [each for each in received(right) if each[:6] == p.BROADCAST or each[0] & 1]
    left.send(frame(*V4))
    turn(engine)

    assert [] == asked
    assert 1 == len(received(right))


def test_a_neighbour_that_stays_silent_is_lost_and_the_sender_told(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    later = engine._now + 31_000_000_000
    for second in range(7):
        engine.slow.tick(later + second * 1_000_000_000)
    for each in (frame(*V4), frame(*V6)):
        left.send(each)
    turn(engine)
    known = bench.segment().neighbours["family"].any()
    received(left)
    received(right)
    # The left host answers; the right one does not.
    for target, mac in ((ip(V4[0]), HOST_MAC[0]), (ip(V6[0]), HOST_MAC[0])):
        engine.slow.neighbours._known.pop((0, target), None)
        engine.slow._heard(engine._interfaces.by_index[0], target, mac, create=True)
    for second in range(1, 6):
        engine.slow.tick(engine._now + second * 1_000_000_000)
    errors = [each for each in received(left) if each[12:14] != b"\x08\x06"]

    assert not known
    assert [(3, 1), (1, 3)] == [_told(each) for each in errors]


def _told(octets: bytes) -> tuple[int, int]:
    """Type and code of an ICMP message in a frame."""
    at = 34 if octets[12:14] == b"\x08\x00" else 54
    return octets[at], octets[at + 1]


# -- echo ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["192.0.2.1", "198.51.100.1", "10.255.255.1"])
def test_an_echo_request_to_any_own_address_is_answered(bench: Bench, own: str) -> None:
    engine, left, _ = resolved(bench)
    left.send(to_router(p.icmp4(ip(V4[0]), ip(own), 8, 0, b"\x12\x34\0\1" + b"data")))
    turn(engine)
    reply = only(received(left))

    assert HOST_MAC[0] + MAC[0] == reply[:12]
    assert p.icmp4(ip(own), ip(V4[0]), 0, 0, b"\x12\x34\0\1" + b"data") == reply[14:]
    assert 0 == checksum(reply[14:34]) == checksum(reply[34:])


@pytest.mark.parametrize(
    ("own", "source"),
    [
        (ip("2001:db8:1::1"), ip(V6[0])),
        (ip("2001:db8:2::1"), ip(V6[0])),
        (LINK_LOCAL, HOST_LINK_LOCAL),
        (p.ALL_NODES, ip(V6[0])),
    ],
)
def test_an_ipv6_echo_request_is_answered(bench: Bench, own: bytes, source: bytes) -> None:
    engine, left, _ = resolved(bench)
    port = engine._interfaces.by_index[0]
    engine.slow._heard(port, HOST_LINK_LOCAL, HOST_MAC[0], create=True)
    packet = p.icmp6(source, own, 128, 0, b"\x12\x34\0\1" + b"data")
    mac = p.multicast_mac(own) if own[0] == 0xFF else MAC[0]
    left.send(p.ethernet(mac, HOST_MAC[0], p.ETH_IPV6, packet))
    turn(engine)
    answers = ip("2001:db8:1::1") if own[0] == 0xFF else own

    assert p.icmp6(answers, source, 129, 0, b"\x12\x34\0\1" + b"data") == only(received(left))[14:]


def test_an_echo_request_with_a_wrong_checksum_is_not_answered(bench: Bench) -> None:
    engine, left, _ = resolved(bench)
    for packet in (
        p.icmp4(ip(V4[0]), ip("192.0.2.1"), 8, 0, b"\0\1\0\1data"),
        p.icmp6(ip(V6[0]), ip("2001:db8:1::1"), 128, 0, b"\0\1\0\1data"),
    ):
        left.send(to_router(packet[:-1] + b"!"))
    turn(engine)

    assert [] == received(left)


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        (frame(*V4, ttl=1), (11, 0)),
        (frame(*V6, ttl=1), (3, 0)),
        (frame(V4[0], "8.8.8.8"), (3, 0)),
        (frame(V6[0], "2600::1"), (1, 0)),
        (frame(V4[0], "10.77.0.1"), (3, 13)),
        (frame(V6[0], "2001:db8:77::1"), (1, 1)),
        (frame(V4[0], "192.0.2.1"), (3, 3)),
        (frame(V6[0], "2001:db8:1::1"), (1, 4)),
    ],
)
def test_the_sender_is_told_why(bench: Bench, packet: bytes, told: tuple[int, int]) -> None:
    engine, left, _ = resolved(bench)
    left.send(packet)
    turn(engine)
    error = only(received(left))
    six = packet[12:14] == b"\x86\xdd"
    quoted = error[62:] if six else error[42:]

    assert told == _told(error)
    assert packet[14:] == quoted
    assert HOST_MAC[0] + MAC[0] == error[:12]
    assert ip("2001:db8:1::1" if six else "192.0.2.1") == (error[22:38] if six else error[26:30])
    if six:
        assert 0 == transport_checksum(error[22:38], error[38:54], 58, error[54:])
    else:
        assert 0 == checksum(error[14:34]) == checksum(error[34:])


def unanswered() -> list[bytes]:
    """Packets that would meet an error, and whose senders must not be told."""
    source, far = ip(V4[0]), ip("8.8.8.8")
    source6, far6 = ip(V6[0]), ip("2600::1")
    fragment = bytearray(p.ipv4(source, far, p.UDP, b"x" * 8))
    fragment[6:8] = b"\0\5"
    fragment[10:12] = b"\0\0"
    fragment[10:12] = checksum(bytes(fragment[:20])).to_bytes(2)
    behind = p.ipv6(source6, far6, 60, bytes((58, 0, 1, 4, 0, 0, 0, 0)) + b"\1\0\0\0" + bytes(8))
    later = p.ipv6(source6, far6, 44, bytes((17, 0, 0, 8, 0, 0, 0, 1)) + bytes(8))
    return [
        p.icmp4(source, far, 3, 1, bytes(12)),
        p.icmp4(source, far, 11, 0, bytes(12)),
        p.icmp6(source6, far6, 1, 0, bytes(12)),
        p.icmp6(source6, far6, 137, 0, bytes(40)),
        bytes(fragment),
        behind,
        later,
        p.ipv6(bytes(16), far6, p.UDP, bytes(8)),
    ]


@pytest.mark.parametrize("packet", unanswered())
def test_nobody_is_told_of_what_the_rfcs_forbid(bench: Bench, packet: bytes) -> None:
    engine, left, _ = resolved(bench)
    left.send(to_router(packet))
    turn(engine)

    assert [] == received(left)
    assert drops(bench.segment(), 0)


def test_an_echo_request_that_meets_an_error_is_answered(bench: Bench) -> None:
    engine, left, _ = resolved(bench)
    left.send(to_router(p.icmp4(ip(V4[0]), ip("8.8.8.8"), 8, 0, bytes(8))))
    turn(engine)

    assert (3, 0) == _told(only(received(left)))


def test_errors_are_limited_in_rate(bench: Bench) -> None:
    engine, left, _ = resolved(bench)
    for _ in range(200):
        left.send(frame(V4[0], "8.8.8.8"))
    engine._epoll.poll(0)
    turn(engine, 1)
    told = len(received(left))

    assert 100 <= told <= 110
    assert {"no-route": 200} == drops(bench.segment(), 0)


def test_a_packet_that_must_not_be_cut_is_too_big(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    bench.writer().set_ports(
        {0: PORTS[0], 1: Port(name="ge-0/0/1", mac=MAC[1], mtu=1294)}, ADDRESSES
    )
    turn(engine)
    big = bytearray(p.ipv4(ip(V4[0]), ip(V4[1]), p.UDP, bytes(1400)))
    big[6], big[10:12] = 0x40, b"\0\0"
    big[10:12] = checksum(bytes(big[:20])).to_bytes(2)
    left.send(to_router(bytes(big)))
    left.send(to_router(p.ipv6(ip(V6[0]), ip(V6[1]), p.UDP, bytes(1400))))
    turn(engine)
    four, six = received(left)

    assert (3, 4) == _told(four)
    assert 1280 == int.from_bytes(four[40:42])
    assert (2, 0) == _told(six)
    assert 1280 == int.from_bytes(six[58:62])
    assert 1280 == len(six) - 14
    assert [] == received(right)


def test_a_packet_that_may_be_cut_arrives_in_fragments(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    bench.writer().set_ports(
        {0: PORTS[0], 1: Port(name="ge-0/0/1", mac=MAC[1], mtu=614)}, ADDRESSES
    )
    turn(engine)
    payload = bytes(range(256)) * 5
    left.send(frame(*V4, payload=payload))
    turn(engine)
    pieces = [each[14:] for each in received(right)]

    assert [596, 596, 148] == [len(each) for each in pieces]
    assert payload == b"".join(each[20:] for each in pieces)
    assert [0x2000, 0x2000 | 72, 144] == [int.from_bytes(each[6:8]) for each in pieces]
    assert all(checksum(each[:20]) == 0 for each in pieces)
    assert all(each[8] == 63 for each in pieces)


def test_options_take_the_slow_path_and_go_on(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    bare = bytes((0x46, 0, 0, 28, 0, 0, 0, 0, 9, 17, 0, 0)) + ip(V4[0]) + ip(V4[1])
    header = bare + b"\x94\x04\0\0"
    fixed = header[:10] + checksum(header).to_bytes(2) + header[12:]
    left.send(to_router(fixed + b"data"))
    turn(engine)
    got = only(received(right))

    assert 8 == got[22]
    assert 0 == checksum(got[14:38])
    assert b"\x94\x04\0\0data" == got[34:]


def test_a_link_local_source_is_not_forwarded(bench: Bench) -> None:
    engine, left, right = resolved(bench)
    port = engine._interfaces.by_index[0]
    engine.slow._heard(port, HOST_LINK_LOCAL, HOST_MAC[0], create=True)
    left.send(to_router(p.ipv6(HOST_LINK_LOCAL, ip(V6[1]), p.UDP, bytes(8))))
    turn(engine)

    assert (1, 2) == _told(only(received(left)))
    assert [] == received(right)


# -- both paths agree --------------------------------------------------------------------------------


@settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["198.51.100.2", "10.1.0.9", "10.66.0.1", "2001:db8:2::2", "2001:db8:f::7"]
            ),
            st.integers(2, 255),
            st.binary(max_size=40),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_both_paths_forward_alike(bench: Bench, packets: list[tuple[str, int, bytes]]) -> None:
    stand = getattr(bench, "both", None) or resolved(bench)
    bench.both = stand  # type: ignore[attr-defined]
    engine, left, right = stand
    frames = [
        frame(V6[0] if ":" in destination else V4[0], destination, ttl=ttl, payload=payload)
        for destination, ttl, payload in packets
    ]
    for each in frames:
        left.send(each)
    turn(engine)
    fast = received(right)
    kinds = engine.adjacencies.kind.copy()
    engine.adjacencies.kind[:] = np.where(kinds == 0, 0, Kind.PUNT)
    for each in frames:
        left.send(each)
    turn(engine)
    engine.adjacencies.kind[:] = kinds

    assert fast == received(right)

"""The demo's network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs, ThirdPeer
from jsupervisor.testing.traffic.flows import validate


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        (Inputs(static=True), "route 10.30.0.0/16 next-hop 198.51.100.2;"),
        (Inputs(address=True), "address 10.255.0.1/32;"),
        (Inputs(edited=True), "route 10.20.0.0/16 discard;"),
    ],
)
def test_an_input_that_is_switched_on_adds_one_line(inputs: Inputs, text: str) -> None:
    plain = lab.config(Inputs()).splitlines()
    changed = lab.config(inputs).splitlines()

    assert [text] == [line.strip() for line in changed if line not in plain]
    assert plain == [line for line in changed if line.strip() != text]


def test_brackets_match() -> None:
    text = lab.config(Inputs(True, True, True))

    assert text.count("{") == text.count("}")


def test_the_sink_counts_what_the_generator_sends(tmp_path: Path) -> None:
    generator, sink = map(validate, lab.hosts(tmp_path, 10_000.0, 60))

    assert generator.sends == sink.counts
    assert 10_000.0 == sum(flow.rate for flow in generator.sends)
    assert {4, 6} == {flow.version for flow in generator.sends}
    assert {f"unix:{tmp_path}/port-ge-0.0.0", f"unix:{tmp_path}/port-ge-0.0.1"} == {
        generator.link,
        sink.link,
    }


def test_no_changed_prefix_carries_traffic() -> None:
    from jsupervisor.demo.fib import network

    for flow in lab.hosts(Path("/x"), 1.0, 1)[0].sends:
        for prefix in (lab.THIRD_PREFIX, lab.STATIC_PREFIX, lab.ADDRESS_PREFIX, lab.EDITED_PREFIX):
            wanted = network(flow.destination)
            assert wanted.version != network(prefix).version or not wanted.overlaps(network(prefix))


def test_the_third_peer_comes_and_goes(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(tmp_path / "port-ge-0.0.2"))
        listener.listen()
        peer = ThirdPeer(tmp_path)
        peer.attach()
        peer.attach()
        attached = peer.attached
        peer.detach()

    assert attached
    assert not peer.attached


def test_a_third_peer_without_a_port_is_an_error(tmp_path: Path) -> None:
    peer = ThirdPeer(tmp_path)
    with pytest.raises(OSError):
        peer.attach()

    assert not peer.attached

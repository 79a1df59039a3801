"""The grammar of port specifications, its values and its errors."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.runtime.portspec import (
    DeviceKind,
    DeviceSpec,
    Endpoint,
    UdpSpec,
    UnixSpec,
    parse_port_spec,
)

GOOD = {
    "udp:5000,5001": UdpSpec(Endpoint("127.0.0.1", 5000), Endpoint("127.0.0.1", 5001)),
    "udp:10.0.0.1:1,10.0.0.2:65535": UdpSpec(Endpoint("10.0.0.1", 1), Endpoint("10.0.0.2", 65535)),
    "udp:[::1]:7,[::1]:8": UdpSpec(Endpoint("::1", 7), Endpoint("::1", 8)),
    "udp:7,127.0.0.2:8": UdpSpec(Endpoint("127.0.0.1", 7), Endpoint("127.0.0.2", 8)),
    "unix:/tmp/left": UnixSpec("/tmp/left"),
    "unix:/tmp/a:b": UnixSpec("/tmp/a:b"),
    "unix:left": UnixSpec(os.path.abspath("left")),
    "unix:/" + "x" * 106: UnixSpec("/" + "x" * 106),
    "af_packet:eth0": DeviceSpec(DeviceKind.AF_PACKET, "eth0"),
    "veth:r0-left": DeviceSpec(DeviceKind.VETH, "r0-left"),
    "tap:tap0": DeviceSpec(DeviceKind.TAP, "tap0"),
}

BAD = {
    "": "a port is udp:",
    "eth0": "a port is udp:",
    "vhost:eth0": "a port is udp:",
    "udp:5000": "two ends",
    "udp:1,2,3": "two ends",
    "udp:0,1": "0 is not a UDP port",
    "udp:1,65536": "65536 is not a UDP port",
    "udp:1,localhost:2": "'localhost' is not an IP address",
    "udp:a,b": "'a' is not [HOST:]PORT",
    "udp:[::1]:1,2": "one end is IPv4 and the other IPv6",
    "unix:": "the path of a socket",
    "unix:a\0b": "the path of a socket",
    "unix:/" + "x" * 107: "107 bytes at most",
    "tap:": "not the name of an interface",
    "veth:" + "x" * 16: "not the name of an interface",
    "af_packet:..": "not the name of an interface",
    "af_packet:a b": "not the name of an interface",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_good_specification_is_read(text: str) -> None:
    assert GOOD[text] == parse_port_spec(text)


@pytest.mark.parametrize("text", BAD)
def test_a_bad_specification_is_refused_in_one_clear_line(text: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_port_spec(text)

    message = str(error.value)
    assert message.startswith(f"cannot use port spec {text!r}: ")
    assert BAD[text] in message
    assert "\n" not in message


@given(st.text() | st.builds("{}:{}".format, st.sampled_from(("udp", "unix", "tap")), st.text()))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_port_spec(text)
    except ValueError as error:
        assert str(error).startswith("cannot use port spec")

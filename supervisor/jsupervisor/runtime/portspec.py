"""The grammar of port specifications: what a port of the router is joined to.

    udp:[HOST:]LPORT,[HOST:]RPORT   one datagram is one frame; HOST is 127.0.0.1 unless given
    unix:PATH                       the router listens there; one peer, one message is one frame
    af_packet:IFNAME                an interface that exists
    veth:IFNAME                     a pair is made; its far end is called IFNAME
    tap:IFNAME                      a tap interface is made

Pure and free of other imports: the command line checks a specification with the very parser that the
packet engine opens its ports with.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

LOOPBACK: Final = "127.0.0.1"
PATH_MAX: Final = 107
"""Bytes in the path of a unix socket."""
_IFNAME: Final = re.compile(r"[^\s/:]{1,15}")
_ENDPOINT: Final = re.compile(r"(?:(?:\[([^\]]+)\]|([^:\[\]]+)):)?([0-9]{1,5})")
GRAMMAR: Final = "a port is udp:[HOST:]LPORT,[HOST:]RPORT, unix:PATH, af_packet:IFNAME, veth:IFNAME or tap:IFNAME"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A UDP address; `port` is never 0."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class UdpSpec:
    """`udp:`, from the local to the remote end."""

    local: Endpoint
    remote: Endpoint


@dataclass(frozen=True, slots=True)
class UnixSpec:
    """`unix:`; the router listens at `path`."""

    path: str


class DeviceKind(StrEnum):
    """What to do about the interface."""

    AF_PACKET = "af_packet"
    VETH = "veth"
    TAP = "tap"


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """An interface of the kernel; needs CAP_NET_RAW, and CAP_NET_ADMIN to make one."""

    kind: DeviceKind
    ifname: str


PortSpec = UdpSpec | UnixSpec | DeviceSpec


def parse_port_spec(text: str) -> PortSpec:
    """The specification in `text`; raises ValueError with one clear line."""
    kind, colon, rest = text.partition(":")
    if not colon:
        raise _error(text, GRAMMAR)
    match kind:
        case "udp":
            return _udp(text, rest)
        case "unix":
            return _unix(text, rest)
        case "af_packet" | "veth" | "tap":
            if not _IFNAME.fullmatch(rest) or rest in (".", ".."):
                raise _error(text, f"{rest!r} is not the name of an interface (1 to 15 characters)")
            return DeviceSpec(DeviceKind(kind), rest)
        case _:
            raise _error(text, GRAMMAR)


def _udp(text: str, rest: str) -> UdpSpec:
    ends = rest.split(",")
    if len(ends) != 2:
        raise _error(text, "udp: takes two ends, udp:[HOST:]LPORT,[HOST:]RPORT")
    local, remote = (_endpoint(text, end) for end in ends)
    if ip_address(local.host).version != ip_address(remote.host).version:
        raise _error(text, "one end is IPv4 and the other IPv6")
    return UdpSpec(local, remote)


def _endpoint(text: str, end: str) -> Endpoint:
    found = _ENDPOINT.fullmatch(end)
    if found is None:
        raise _error(text, f"{end!r} is not [HOST:]PORT")
    host = found[1] or found[2] or LOOPBACK
    port = int(found[3])
    if not 1 <= port <= 65535:
        raise _error(text, f"{port} is not a UDP port (1 to 65535)")
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        raise _error(text, f"{host!r} is not an IP address") from None
    return Endpoint(str(address), port)


def _unix(text: str, path: str) -> UnixSpec:
    if not path or "\0" in path:
        raise _error(text, "unix: takes the path of a socket")
    # The router's processes have another working directory than the command line.
    absolute = os.path.abspath(path)
    if len(os.fsencode(absolute)) > PATH_MAX:
        raise _error(text, f"the path of a socket has {PATH_MAX} bytes at most")
    return UnixSpec(absolute)


def _error(text: str, why: str) -> ValueError:
    return ValueError(f"cannot use port spec {text!r}: {why}")

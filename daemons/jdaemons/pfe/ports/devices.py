"""Network interfaces by rtnetlink and ioctl: what the ports on devices need, without other programs."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import socket
import struct
from pathlib import Path
from typing import Final

from jsupervisor.links import attribute, link_request

IFNAME_MAX: Final = 15
_NEWLINK: Final = 16
_CREATE_EXCL: Final = 0x400 | 0x200
_IFLA_IFNAME: Final = 3
_IFLA_LINKINFO: Final = 18
_INFO_KIND: Final = 1
_INFO_DATA: Final = 2
_VETH_PEER: Final = 1
_UP: Final = 0x1
_RUNNING: Final = 0x40
_NOARP: Final = 0x80
_SIOCGIFFLAGS: Final = 0x8913
_SIOCETHTOOL: Final = 0x8946
_ETHTOOL_GLINK: Final = 0x0A
_ETHTOOL_STXCSUM: Final = 0x17


def near_name(run_dir: str, far: str) -> str:
    """What the router's end of a pair is called: the same for the same instance and far end."""
    return "js" + hashlib.sha256(f"{run_dir}/{far}".encode()).hexdigest()[:10]


def exists(name: str) -> bool:
    """Is there an interface of that name in this network namespace?"""
    return any(name == known for _, known in socket.if_nameindex())


def make_veth(near: str, far: str) -> None:
    """Make a pair; raises OSError."""
    peer = bytes(16) + _name(far)
    info = attribute(_INFO_KIND, b"veth") + attribute(_INFO_DATA, attribute(_VETH_PEER, peer))
    link_request(_NEWLINK, _CREATE_EXCL, _name(near) + attribute(_IFLA_LINKINFO, info))


def set_up(name: str) -> None:
    """Bring an interface up, as one that the kernel itself does not speak on; raises OSError."""
    with contextlib.suppress(OSError):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
    link_request(_NEWLINK, 0, b"", socket.if_nametoindex(name), _UP | _NOARP)


def complete_checksums(name: str) -> None:
    """Have the kernel finish the checksums of what it sends on this interface; raises OSError.

    A virtual interface leaves that to hardware that it does not have. Frames that pass through the
    router would arrive elsewhere with wrong checksums.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        _ethtool(sock, name, _ETHTOOL_STXCSUM)


def is_running(sock: socket.socket, name: str) -> bool:
    """Is the interface up, with a carrier? Looks in the namespace of the socket.

    The driver is asked, because the interface's flags follow only up to a second later.
    """
    try:
        return bool(_ethtool(sock, name, _ETHTOOL_GLINK))
    except OSError:
        return _says_running(sock, name)


def _says_running(sock: socket.socket, name: str) -> bool:
    try:
        answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, struct.pack("=16sH22x", name.encode(), 0))
    except OSError:
        return False
    (flags,) = struct.unpack_from("=H", answer, 16)
    return bool(flags & _UP and flags & _RUNNING)


def _ethtool(sock: socket.socket, name: str, command: int) -> int:
    """Carry out a command whose argument is 0; the word it answers with. Raises OSError."""
    value = bytearray(struct.pack("=II", command, 0))
    pointer = ctypes.addressof(ctypes.c_char.from_buffer(value))
    fcntl.ioctl(sock, _SIOCETHTOOL, struct.pack("=16sQ16x", name.encode(), pointer))
    word: int = struct.unpack_from("=I", value, 4)[0]
    return word


def _name(name: str) -> bytes:
    return attribute(_IFLA_IFNAME, name.encode() + b"\0")

"""Can a port be opened? Asked before anything is started, so that a wrong one is one clear line.

A look, not a reservation: what somebody takes in the moment after it is the packet engine's to report.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jsupervisor.runtime.portspec import (
    DeviceKind,
    DeviceSpec,
    Endpoint,
    UdpSpec,
    UnixSpec,
    parse_port_spec,
)

CAP_NET_ADMIN: Final = 12
CAP_NET_RAW: Final = 13


class PortCheckError(Exception):
    """A port cannot be opened; the text says which, why and what to do."""


def check_ports(ports: Mapping[str, str], own_folder: Path) -> None:
    """Raise PortCheckError for the first port that cannot be opened.

    `own_folder` is the instance's run folder, which need not exist yet.
    """
    for name, text in ports.items():
        spec = parse_port_spec(text)
        match spec:
            case UnixSpec(path):
                why = _unix(path, own_folder)
            case UdpSpec():
                why = _udp(spec.local)
            case DeviceSpec():
                why = _device(spec)
        if why:
            raise PortCheckError(f"cannot open port {name} ({text}): {why}")


def _unix(path: str, own_folder: Path) -> str:
    folder = Path(path).parent
    if not os.path.lexists(path):
        if folder == own_folder or folder.is_dir():
            return ""
        return f"there is no folder {folder}"
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        return "there is a file of this name that is no socket: move it away"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except OSError as error:
            # Nobody listens: the file is a dead socket's, and the engine replaces it.
            return "" if error.errno == errno.ECONNREFUSED else str(error.strerror or error)
    return "it is in use: another router listens there"


def _udp(local: Endpoint) -> str:
    family = socket.AF_INET6 if ":" in local.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((local.host, local.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "it is in use: choose another local port"
            return str(error.strerror or error)
    return ""


def _device(spec: DeviceSpec) -> str:
    known = spec.ifname in {name for _, name in socket.if_nameindex()}
    if spec.kind is DeviceKind.AF_PACKET:
        if not known:
            return f"there is no interface {spec.ifname}: see ip link"
        return "" if _may(CAP_NET_RAW) else "it needs root, or a user namespace (unshare -Urn)"
    if known:
        return f"it is in use: there is an interface {spec.ifname} already"
    return "" if _may(CAP_NET_ADMIN) else "it needs root, or a user namespace (unshare -Urn)"


def _may(capability: int) -> bool:
    """Has this process a capability in the user namespace it is in?"""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    return bool(int(effective, 16) & (1 << capability))

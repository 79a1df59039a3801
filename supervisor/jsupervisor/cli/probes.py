"""What this machine offers, found out by trying: one small function for each thing, no side effects.

A probe that cannot be made counts as a lack, and says why.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json
from jsupervisor.paths import Instance

LEAST_KERNEL: Final = (5, 4)
LEAST_MEMORY: Final = 512 << 20
LEAST_DISK: Final = 64 << 20
LEAST_BUFFER: Final = 1 << 20
"""A megabyte of socket buffer holds about 1,000 small datagrams: 0.1 s at 10,000 packets/s."""
SOCKET_PATH: Final = 107
LONGEST_NAME: Final = len("/jlaunchd/plain.4294967295.sock")

_UNSHARE: Final = """
import ctypes
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
failed = ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET)
raise SystemExit(ctypes.get_errno() if failed else 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that jsupervisor uses, whether it is there, and what its lack disables."""

    name: str
    ok: bool
    value: str
    disables: str
    """What does not work without it."""
    essential: bool = False
    """Nothing works without it."""

    def to_json(self) -> dict[str, Json]:
        """As `doctor --json` prints it; `disables` is null when nothing is disabled."""
        return {
            "name": self.name,
            "ok": self.ok,
            "essential": self.essential,
            "value": self.value,
            "disables": None if self.ok else self.disables,
        }


def all_checks(chosen: Instance) -> list[Check]:
    """Everything, the essential first; `chosen` tells which folders."""
    return [
        kernel(platform.release()),
        _tried("/proc", "everything: processes are watched there", _proc, essential=True),
        _tried("pidfd", "everything: pids would be reused unseen", _pidfd, essential=True),
        _tried("memfd", "everything: the forwarding image lives in one", _memfd, essential=True),
        _tried("SEQPACKET", "everything: init is asked over it", _seqpacket, essential=True),
        folder("home", chosen.home),
        folder("sockets", chosen.run_dir, path_bytes=len(os.fsencode(chosen.run_dir))),
        root(os.geteuid()),
        _tried("user namespaces", "interfaces of the kernel without root", _user_namespaces),
        _tried("/dev/net/tun", "tap: ports", lambda: _device("/dev/net/tun")),
        memory(_meminfo()),
        buffers(*(_maximum(name) for name in ("rmem_max", "wmem_max"))),
    ]


def _tried(name: str, disables: str, probe: Callable[[], str], *, essential: bool = False) -> Check:
    """A check that is passed when `probe` raises no OSError; what it returns is the value."""
    try:
        value, ok = probe(), True
    except (OSError, AttributeError) as error:
        value, ok = str(getattr(error, "strerror", None) or error), False
    return Check(name=name, ok=ok, value=value, disables=disables, essential=essential)


def kernel(release: str) -> Check:
    """Is the kernel new enough?"""
    numbers = tuple(int(part) for part in re.findall(r"\d+", release)[:2])
    least = ".".join(map(str, LEAST_KERNEL))
    return Check(
        name="kernel",
        ok=numbers >= LEAST_KERNEL,
        value=f"Linux {release}",
        disables=f"everything: {least} is the oldest that works",
        essential=True,
    )


def root(uid: int) -> Check:
    """Is this root?"""
    return Check(
        name="root",
        ok=uid == 0,
        value="yes" if uid == 0 else f"no, uid {uid}",
        disables="veth:, af_packet: and tap: ports outside a user namespace; udp: and unix: work",
    )


def folder(name: str, path: Path, path_bytes: int = 0) -> Check:
    """Can files be made there, is there room, and does a socket's path fit?"""
    existing = path
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    problem = ""
    free = 0
    try:
        free = shutil.disk_usage(existing).free
    except OSError as error:
        problem = error.strerror or str(error)
    if not os.access(existing, os.W_OK | os.X_OK):
        problem = f"{existing} is not writable"
    elif free < LEAST_DISK:
        problem = f"{free >> 20} MB free"
    elif path_bytes + LONGEST_NAME > SOCKET_PATH:
        problem = f"{path_bytes} bytes are too long for a socket's path"
    value = f"{path} ({problem or f'{free >> 20} MB free'})"
    return Check(
        name=name,
        ok=not problem,
        value=value,
        disables="everything: an instance keeps its files there",
        essential=True,
    )


def memory(figures: Mapping[str, int]) -> Check:
    """Is there room for a router?"""
    available = figures.get("MemAvailable", 0)
    return Check(
        name="memory",
        ok=available >= LEAST_MEMORY,
        value=f"{available >> 20} of {figures.get('MemTotal', 0) >> 20} MB available",
        disables=f"a router of a large profile: {LEAST_MEMORY >> 20} MB are recommended",
    )


def buffers(receive: int, send: int) -> Check:
    """May sockets have buffers that bridge a restart?"""
    return Check(
        name="socket buffers",
        ok=min(receive, send) >= LEAST_BUFFER,
        value=f"rmem_max {receive}, wmem_max {send}",
        disables="loss-free restarts of the engine at 10,000 packets/s on udp: ports without root"
        f" (sysctl net.core.rmem_max={LEAST_BUFFER} net.core.wmem_max={LEAST_BUFFER})",
    )


def _proc() -> str:
    Path("/proc/self/stat").read_bytes()
    return "mounted"


def _pidfd() -> str:
    os.close(os.pidfd_open(os.getpid()))
    return "works"


def _memfd() -> str:
    os.close(os.memfd_create("doctor", os.MFD_CLOEXEC))
    return "works"


def _seqpacket() -> str:
    for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET):
        end.close()
    return "works"


def _device(path: str) -> str:
    os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    return "works"


def _user_namespaces() -> str:
    """Make one, with a network, in a child that ends at once; raises OSError."""
    # By another program, since a forked child may have threads (gRPC's), and those may not unshare.
    command = (sys.executable, "-I", "-S", "-c", _UNSHARE)
    code = subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode
    if code > 0:
        raise OSError(code, os.strerror(code))
    if code < 0:
        raise OSError(0, f"the kernel answers with {signal.Signals(-code).name}")
    return "works"


def _meminfo() -> dict[str, int]:
    figures = {}
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            name, _, rest = line.partition(":")
            figures[name] = int(rest.split()[0]) << 10
    except (OSError, ValueError, IndexError):
        return {}
    return figures


def _maximum(name: str) -> int:
    try:
        return int(Path(f"/proc/sys/net/core/{name}").read_text())
    except (OSError, ValueError):
        return 0

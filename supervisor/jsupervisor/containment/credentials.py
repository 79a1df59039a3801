"""A uid and gid for each module, and no capability that its role does not need.

The numbers are made from the instance's home and the module's name, so that they are the same at every
start and need no entry anywhere: 16 million of them from UID_BASE on, a range that neither people nor
containers nor systemd hand out. Where only a smaller range is to be had, `uid_base` in the profile
names its beginning, and modules are numbered in the profile's order.

Who shares the uid with another may signal it, trace it and open its files; the other layers then stop
mistakes, and attackers only as far as docs/containment.md says.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from ctypes import create_string_buffer
from dataclasses import dataclass
from typing import Final

from jsupervisor.containment import kernel
from jsupervisor.containment.roles import CAPABILITIES

UID_BASE: Final = 1_900_000_000
UID_COUNT: Final = 1 << 24
INSTANCE: Final = ""
PORTS: Final = "/ports"
"""Names, beside those of modules, of the gid that all share and of those who make sockets for ports."""

_CAPABILITY_VERSION: Final = 0x20080522
_DAC_OVERRIDE: Final = CAPABILITIES["CAP_DAC_OVERRIDE"]
_LAST_CAPABILITY: Final = 63


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a module is to the kernel. Its gid has the same number as its uid."""

    uid: int
    groups: tuple[int, ...] = ()
    """Supplementary; the instance's own is the first."""

    @property
    def group(self) -> int:
        """The gid that all modules of the instance share."""
        return self.groups[0]


def allocate(home: str, names: Sequence[str], base: int | None = None) -> dict[str, int]:
    """A number for each name, INSTANCE and PORTS among them; always the same for the same arguments.

    Without a base the numbers depend on home and name alone, save where two names collide.
    """
    wanted = (INSTANCE, PORTS, *names)
    if base is not None:
        return {name: base + index for index, name in enumerate(wanted)}
    taken: dict[int, str] = {}
    for name in wanted:
        offset = zlib.crc32(f"{home}\0{name}".encode()) % UID_COUNT
        while offset in taken:
            offset = (offset + 1) % UID_COUNT
        taken[offset] = name
    return {name: UID_BASE + offset for offset, name in taken.items()}


def why_not(lowest: int, highest: int, uid_map: str, capabilities: int) -> str:
    """Why this process cannot give such uids to others; empty when it can.

    `uid_map` is the text of /proc/self/uid_map, `capabilities` the effective ones.
    """
    if not capabilities & (1 << 7) or not capabilities & (1 << 6):
        return "not root: all modules run as the user who started them"
    for line in uid_map.splitlines():
        first, _, count = (int(number) for number in line.split())
        if first <= lowest and highest < first + count:
            return ""
    return f"uids {lowest} to {highest} are not mapped in this user namespace (see uid_base)"


def bound() -> None:
    """Nothing that this process starts ever gains a capability that no role keeps."""
    for number in set(range(_LAST_CAPABILITY + 1)) - set(CAPABILITIES.values()):
        _unbound(number)


def drop(identity: Identity | None, keep: Iterable[str], held: int) -> None:
    """Become `identity` (None: stay who this is) with these capabilities and no others; for ever.

    `held` are those that this process has. The launcher has called `bound`. Raises OSError. Clears
    the parent-death signal. Who is not root has nothing to lose.
    """
    if os.geteuid() != 0:
        return
    kept = {CAPABILITIES[name] for name in keep}
    if identity is None:
        kept.add(_DAC_OVERRIDE)  # its own files may belong to whoever called sudo
    for number in set(CAPABILITIES.values()) - kept:
        _unbound(number)
    if identity is not None:
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
        os.setgroups(identity.groups)
        os.setresgid(identity.uid, identity.uid, identity.uid)
        os.setresuid(identity.uid, identity.uid, identity.uid)
    mask = held & sum(1 << number for number in kept)
    set_capabilities(mask)
    if identity is not None:
        kernel.prctl(kernel.PR_SET_KEEPCAPS, 0)
        for number in range(mask.bit_length()):
            if mask >> number & 1:  # so that they outlive `launch = "exec"`
                kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_RAISE, number)


def set_capabilities(mask: int) -> None:
    """Effective, permitted and inheritable capabilities; raises OSError."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    halves = (mask & 0xFFFFFFFF, mask >> 32)
    data = b"".join(struct.pack("=III", half, half, half) for half in halves)
    kernel.syscall(
        "capset",
        create_string_buffer(header, len(header)),
        create_string_buffer(data, len(data)),
    )


def _unbound(number: int) -> None:
    try:
        kernel.prctl(kernel.PR_CAPBSET_DROP, number)
    except OSError:
        pass  # beyond the last one; or it may not, and then has none to give


def capabilities(which: str = "CapEff") -> int:
    """A set of this process's capabilities, as a mask."""
    with open("/proc/self/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith(which):
                return int(line.split()[1], 16)
    return 0

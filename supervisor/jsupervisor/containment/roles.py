"""Who may do what: one role for each executable, the only table.

A module's role is that of its executable; `confine` in its program's table of the profile names
another one, and "none" switches containment off. A program that is not ours has the role `foreign`:
its `limits` and `user` alone hold it. docs/containment.md shows this table; a test compares the two.

Paths are templates: {home} is the instance's home, {own} the module's socket folder, {ports} the
folders of its ports' sockets, {notes} where it notes what it makes elsewhere (jsupervisor.links). What
no role may do stands in `seccomp`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

Item = TypeVar("Item")

NONE: Final = "none"
FOREIGN: Final = "foreign"

AF_UNIX: Final = 1
AF_INET: Final = 2
AF_INET6: Final = 10
AF_NETLINK: Final = 16
AF_PACKET: Final = 17
FAMILIES: Final[Mapping[int, str]] = MappingProxyType(
    {
        AF_UNIX: "unix",
        AF_INET: "inet",
        AF_INET6: "inet6",
        AF_NETLINK: "netlink",
        AF_PACKET: "packet",
    }
)

CAPABILITIES: Final[Mapping[str, int]] = MappingProxyType(
    {"CAP_DAC_OVERRIDE": 1, "CAP_NET_BIND_SERVICE": 10, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13}
)
"""Those that a role may keep, with their numbers (linux/capability.h)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a role may do because of one thing that it has to do."""

    families: tuple[int, ...] = ()
    capabilities: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a module of this kind may do; everything else is refused."""

    name: str
    confined: bool = True
    """False: neither Landlock nor seccomp nor limits of ours; a uid of its own it has all the same."""
    rights: Rights = Rights()
    ports: Mapping[str, Rights] = field(default_factory=dict)
    """What it may do besides, for each kind of port that it has."""
    owns: tuple[str, ...] = ()
    """Folders of the instance that are this module's alone, once modules have uids."""
    keeps_files_in: tuple[str, ...] = ()
    """Folders where it keeps files beside those of others."""
    lists: tuple[str, ...] = ()
    """Folders of root's whose files it may name and measure, and not read."""
    executes: bool = False
    """May it start processes and programs?"""
    memory_mb: int | None = 4096
    """Address space, in MiB."""
    files: int | None = 1024
    processes: int | None = 256
    """Threads count. Held only where the module's uid, or its cgroup, is its own."""

    def rights_for(self, kinds: Iterable[str]) -> Rights:
        """All it may do, given the kinds of its ports ("udp", "veth", ...)."""
        wanted = [self.rights, *(self.ports[kind] for kind in sorted(set(kinds) & set(self.ports)))]
        return Rights(
            families=_merged(each.families for each in wanted),
            capabilities=_merged(each.capabilities for each in wanted),
            reads=_merged(each.reads for each in wanted),
            writes=_merged(each.writes for each in wanted),
        )


_BASE: Final = Rights(families=(AF_UNIX,), writes=("{own}",))
_QUEUES: Final = ("CAP_NET_ADMIN",)  # sockets' queues beyond the host's limit
_DEVICES: Final = Rights(
    families=(AF_INET, AF_NETLINK, AF_PACKET),
    capabilities=(*_QUEUES, "CAP_NET_RAW"),
    writes=("/proc/sys/net/ipv6/conf", "{notes}"),
)

_LIST: Final = (
    Role(
        name="eventd",
        rights=Rights(families=_BASE.families, writes=("{own}", "{home}/log")),
        keeps_files_in=("{home}/log",),
    ),
    Role(name="alarmd", rights=_BASE),
    Role(name="chassisd", rights=_BASE),
    Role(
        name="mgd",
        rights=Rights(
            families=_BASE.families, reads=("{home}/crash",), writes=("{own}", "{home}/config")
        ),
        owns=("{home}/config",),
        lists=("{home}/crash",),
    ),
    Role(name="dcd", rights=_BASE),
    Role(name="ppmd", rights=_BASE),
    Role(name="rpd", rights=_BASE, memory_mb=16384),
    Role(name="pfectl", rights=_BASE, memory_mb=16384),
    Role(
        name="pfe",
        rights=_BASE,
        ports={
            "udp": Rights(
                families=(AF_INET, AF_INET6), capabilities=(*_QUEUES, "CAP_NET_BIND_SERVICE")
            ),
            "unix": Rights(
                capabilities=(*_QUEUES, "CAP_DAC_OVERRIDE"), writes=("{ports}", "{notes}")
            ),
            "af_packet": _DEVICES,
            "veth": _DEVICES,
            "tap": Rights(families=(AF_INET,), capabilities=_QUEUES, writes=("/dev/net/tun",)),
        },
        memory_mb=16384,
        files=4096,
    ),
    Role(name="worker", rights=_BASE, executes=True),
    Role(name=FOREIGN, confined=False, executes=True, memory_mb=None, files=None, processes=None),
    Role(name=NONE, confined=False, executes=True, memory_mb=None, files=None, processes=None),
)

ROLES: Final[Mapping[str, Role]] = MappingProxyType({role.name: role for role in _LIST})


def role_of(confine: str, executable: str, parts: Iterable[str] = ()) -> Role:
    """The role of a module; of a process that hosts `parts` (executables), the union of theirs.

    Raises LookupError for a name that is no role. An executable without a role of its own has the
    least: sockets of its own and nothing else.
    """
    if confine:
        if confine not in ROLES:
            raise LookupError(f"cannot confine as {confine!r}: there are {', '.join(ROLES)}")
        return ROLES[confine]
    members = [ROLES.get(part, _plain(part)) for part in parts]
    if members:
        return union(executable, members)
    return ROLES.get(executable, _plain(executable))


def union(name: str, roles: Iterable[Role]) -> Role:
    """One role that may do whatever one of these may."""
    members = list(roles)
    ports: dict[str, Rights] = {}
    for role in members:
        for kind in role.ports:
            ports[kind] = _joined(each.ports[kind] for each in members if kind in each.ports)
    return Role(
        name=name,
        confined=all(role.confined for role in members),
        rights=_joined(role.rights for role in members),
        ports=ports,
        owns=_merged(role.owns for role in members),
        keeps_files_in=_merged(role.keeps_files_in for role in members),
        lists=_merged(role.lists for role in members),
        executes=any(role.executes for role in members),
        memory_mb=_sum(role.memory_mb for role in members),
        files=_sum(role.files for role in members),
        processes=_sum(role.processes for role in members),
    )


def _plain(name: str) -> Role:
    return Role(name=name, rights=_BASE)


def _joined(rights: Iterable[Rights]) -> Rights:
    wanted = list(rights)
    return Rights(
        families=_merged(each.families for each in wanted),
        capabilities=_merged(each.capabilities for each in wanted),
        reads=_merged(each.reads for each in wanted),
        writes=_merged(each.writes for each in wanted),
    )


def _merged(groups: Iterable[tuple[Item, ...]]) -> tuple[Item, ...]:
    """All items once, in the order they came."""
    return tuple(dict.fromkeys(item for group in groups for item in group))


def _sum(numbers: Iterable[int | None]) -> int | None:
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total

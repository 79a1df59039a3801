"""From a start order to the cell of its process: role, paths, filter and numbers; in the launcher.

An order without the field `confinement` (of a test) has no cell.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from jsupervisor.containment import seccomp
from jsupervisor.containment.cell import Cell
from jsupervisor.containment.cgroups import GroupLimits
from jsupervisor.containment.credentials import Identity
from jsupervisor.containment.folders import notes_file
from jsupervisor.containment.landlock import Paths
from jsupervisor.containment.limits import Limits, number
from jsupervisor.containment.machine import Machine, code_paths
from jsupervisor.containment.roles import Rights, Role, role_of
from jsupervisor.containment.seccomp import Filter
from jsupervisor.initproto import Json, Message

SYSTEM_READS: Final = (
    *("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/random"),
    *("/proc/uptime", "/proc/meminfo", "/sys/devices/system/cpu"),
)
"""What libc, Python and gRPC look at in any process, besides what is its own in /proc."""
SELF: Final = "/proc/self"
SYSTEM_WRITES: Final = ("/dev/null",)
PROGRAMS: Final = ("/usr", "/bin", "/lib", "/lib64")


class Cells:
    """Makes cells for one machine; keeps the filters, which are the same for every module of a role."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._filters: dict[tuple[str, tuple[int, ...]], Filter | None] = {}
        self._reads: dict[tuple[str, str], tuple[str, ...]] = {}

    def cell(self, order: Message) -> Cell | None:
        """The cell for an order; None when it asks for none.

        Raises LookupError for an unknown role, KeyError for an order that lacks something.
        """
        confinement = _table(order, "confinement")
        if not confinement:
            return None
        parts = _parts(order)
        executables = [str(part["executable"]) for part in parts]
        wanted = str(confinement.get("role", ""))
        role = role_of(wanted, str(order["executable"]), executables)
        ports = _ports(order) if role.ports else []
        rights = role.rights_for(kind for kind, _ in ports)
        planned = _table(confinement, "limits")
        identity = _identity(confinement) if self.machine.uids else None
        places = _places(order, parts, ports, identity)
        return Cell(
            role=role,
            name=str(order["name"]),
            run_dir=str(order["run_dir"]),
            machine=self.machine,
            capabilities=_capabilities(rights, places),
            limits=Limits.of(role, planned),
            group_limits=_group_limits(role, planned),
            identity=identity,
            owns=places.expand(role.owns),
            keeps_files_in=places.expand(role.keeps_files_in),
            lists=places.expand(role.lists),
            members=places.members,
            notes=bool(ports),
            paths=self._paths(role, rights, places),
            filter=self._filter(role, rights.families),
        )

    def _paths(self, role: Role, rights: Rights, places: _Places) -> Paths:
        reads = self._common(places)
        return Paths(
            reads=(SELF, *reads, *places.expand(rights.reads)),
            writes=(*SYSTEM_WRITES, *places.expand(rights.writes)),
            executes=(*PROGRAMS, *reads) if role.executes else (),
        )

    def _common(self, places: _Places) -> tuple[str, ...]:
        """What every module of an instance reads."""
        key = places.home, places.run_dir
        if key not in self._reads:
            code = [path for path in code_paths() if not places.lie_below(path)]
            self._reads[key] = outermost([*SYSTEM_READS, *code])
        return self._reads[key]

    def _filter(self, role: Role, families: tuple[int, ...]) -> Filter | None:
        if not role.confined or not self.machine.seccomp:
            return None
        key = role.name, families
        if key not in self._filters:
            self._filters[key] = seccomp.build(role, families, self.machine.seccomp)
        return self._filters[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """What the templates of a role's paths stand for, in one order."""

    home: str
    run_dir: str
    members: tuple[str, ...]
    ports: tuple[str, ...]
    """The folders in which ports have their sockets."""
    notes: str

    def lie_below(self, path: str) -> bool:
        """Would who reads all beneath `path` read the instance's files, or the machine's?

        An empty entry of PYTHONPATH is the working folder, which is the root of all.
        """
        inside = [os.path.realpath(each) for each in (self.home, self.run_dir, "/etc", "/proc")]
        return any(f"{each}/".startswith(f"{path.rstrip('/')}/") for each in inside)

    def expand(self, templates: Iterable[str]) -> tuple[str, ...]:
        """The paths themselves."""
        paths: list[str] = []
        for template in templates:
            match template:
                case "{own}":
                    paths += (os.path.join(self.run_dir, member) for member in self.members)
                case "{ports}":
                    paths += self.ports
                case "{notes}":
                    paths.append(self.notes)
                case _:
                    paths.append(template.format(home=self.home, run=self.run_dir))
        return tuple(paths)


def outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """These without those that are not there, or lie in another."""
    real = sorted({os.path.realpath(path) for path in paths})
    kept: list[str] = []
    for path in real:
        if os.path.exists(path) and not any(path.startswith(f"{each}/") for each in kept):
            kept.append(path)
    return tuple(kept)


def _places(
    order: Message,
    parts: Iterable[Mapping[str, Json]],
    ports: Iterable[tuple[str, str]],
    identity: Identity | None,
) -> _Places:
    return _Places(
        home=str(order["home"]),
        run_dir=str(order["run_dir"]),
        members=tuple(str(part["name"]) for part in (order, *parts)),
        ports=tuple(sorted({os.path.dirname(path) for kind, path in ports if kind == "unix"})),
        notes=notes_file(str(order["run_dir"]), identity),
    )


def _capabilities(rights: Rights, places: _Places) -> tuple[str, ...]:
    """CAP_DAC_OVERRIDE only where a port's socket lies in a folder that is closed to strangers."""
    open_to_all = all(
        folder == places.run_dir or _anybody_writes(folder) for folder in places.ports
    )
    left_out = {"CAP_DAC_OVERRIDE"} if open_to_all else set()
    return tuple(name for name in rights.capabilities if name not in left_out)


def _anybody_writes(folder: str) -> bool:
    try:
        return bool(os.stat(folder).st_mode & stat.S_IWOTH)
    except OSError:
        return False


def _identity(confinement: Mapping[str, Json]) -> Identity | None:
    uid, groups = confinement.get("uid"), confinement.get("groups")
    if not isinstance(uid, int) or not isinstance(groups, list | tuple):
        return None
    return Identity(uid, tuple(group for group in groups if isinstance(group, int)))


def _group_limits(role: Role, planned: Mapping[str, Json]) -> GroupLimits:
    limits = GroupLimits(
        resident_mb=number(planned, "resident_mb"), cpu_percent=number(planned, "cpu_percent")
    )
    if limits == GroupLimits() and not role.executes:
        return limits
    return GroupLimits(
        resident_mb=limits.resident_mb,
        cpu_percent=limits.cpu_percent,
        processes=number(planned, "processes", role.processes),
    )


def _table(values: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _parts(order: Message) -> list[Mapping[str, Json]]:
    parts = order.get("parts")
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def _ports(order: Message) -> list[tuple[str, str]]:
    """(kind, the rest) of each port specification."""
    texts = [str(text) for text in _table(order, "ports").values()]
    return [(text.partition(":")[0], text.partition(":")[2]) for text in texts]

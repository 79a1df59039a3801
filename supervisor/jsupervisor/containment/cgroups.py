"""One cgroup for each module that may start processes, under one of the instance: its tree has a name.

Wherever this process may make groups below its own: version 2 for cgroup.kill, which ends a whole tree
at one stroke, forks under way included; version 1 controllers where they still live apart. Nothing is
switched on that is not on already, since that could move other people's processes.

A process that writes itself into a group waits for an RCU grace period (5 to 30 ms were measured), so a
module whose role starts no processes, and whose plan asks for no limit of a group, stays outside: its
tree is itself. `fork_into` has the child born in the group instead and does not wait.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jsupervisor.containment import kernel

NOTES: Final = "cgroups"
PREFIX: Final = "jsupervisor-"
CONTROLLERS: Final = ("memory", "pids", "cpu")
_INTO_CGROUP: Final = 0x200000000
_PARENT: Final = 0x8000
"""CLONE_PARENT of clone(2)."""
_PERIOD_US: Final = 100_000
_SWEEP_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Where groups may be made; folders of this process's own groups."""

    unified: str = ""
    """Of version 2; empty when there is none, and `why` says why not."""
    apart: Mapping[str, str] = field(default_factory=dict)
    """Version 1: controller to folder."""
    why: str = ""

    @property
    def kills(self) -> bool:
        """Can a whole tree be killed?"""
        return bool(self.unified)


NONE: Final = Groups(why="switched off in the profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimits:
    """What all processes of a module together may use; None is as much as there is."""

    resident_mb: int | None = None
    """Memory in use, in MiB."""
    processes: int | None = None
    cpu_percent: int | None = None
    """Of one processor."""


def find() -> Groups:
    """Where this process may make groups."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            mounts = file.read()
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            own = file.read()
    except OSError as error:
        return Groups(why=f"{error.filename}: {error.strerror}")
    unified, apart = places(mounts, own)
    usable = {name: path for name, path in apart.items() if os.access(path, os.W_OK)}
    if not unified:
        return Groups(apart=usable, why="no cgroup file system of version 2")
    if not os.access(unified, os.W_OK):
        return Groups(apart=usable, why=f"{unified} is not writable")
    return Groups(unified=unified, apart=usable)


def places(mounts: str, own: str) -> tuple[str, dict[str, str]]:
    """The folders of a process's own groups, from its mountinfo and its /proc/PID/cgroup."""
    paths: dict[str, str] = {}
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        for name in controllers.split(","):
            paths[name] = path
    unified, apart = "", dict[str, str]()
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, point = before.split(" ")[3:5]
        if kind == "cgroup2" and not unified and "" in paths:
            unified = _below(point, root, paths[""])
        elif kind == "cgroup":
            for name in set(options.rpartition(" ")[2].split(",")) & set(CONTROLLERS):
                if name in paths:
                    apart.setdefault(name, _below(point, root, paths[name]))
    return unified, apart


def _below(point: str, root: str, path: str) -> str:
    """The folder of the group `path` in a mount at `point` that shows the tree from `root` on."""
    inside = path[len(root) :] if root != "/" and path.startswith(root) else path
    return os.path.normpath(f"{point}/{inside}")


def controllers(groups: Groups) -> list[str]:
    """Those that groups below this process's own could have."""
    found = set(groups.apart)
    if groups.unified:
        try:
            with open(
                os.path.join(groups.unified, "cgroup.subtree_control"), encoding="utf-8"
            ) as f:
                found |= set(f.read().split())
        except OSError:
            pass
    return [name for name in CONTROLLERS if name in found]


def folder_of(groups: Groups, key: str, name: str) -> str:
    """The folder of a module's group of version 2."""
    return os.path.join(groups.unified, PREFIX + key, name)


def group_of(key: str, pid: int) -> str:
    """The name of the group of version 2 that a process is in, or in a group below; "" for none of ours."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, found, below = line.partition(f"/{PREFIX}{key}/")
        if line.startswith("0::") and found:
            return below.split("/")[0]
    return ""


def note(run_dir: str, groups: Groups, key: str) -> None:
    """Note in the run folder where the instance's groups are, for whoever removes that folder."""
    places = [path for path in (groups.unified, *groups.apart.values()) if path]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(os.path.join(run_dir, NOTES), flags, 0o600)
    try:
        os.write(fd, "".join(f"{path}/{PREFIX}{key}\n" for path in places).encode())
    finally:
        os.close(fd)


def make(groups: Groups, key: str, name: str, limits: GroupLimits) -> str:
    """Make a module's groups and set their limits; the folder of version 2, "" where there is none.

    A limit for which there is no controller is left out. Raises OSError.
    """
    folder = ""
    if groups.unified:
        folder = folder_of(groups, key, name)
        instance = os.path.dirname(folder)
        os.makedirs(instance, exist_ok=True)
        for parent in (groups.unified, instance):
            _switch_on(parent)
        os.makedirs(folder, exist_ok=True)
        _limit(folder, limits)
    for controller, parent in groups.apart.items():
        if _wanted(controller, limits):
            apart = os.path.join(parent, PREFIX + key, name)
            os.makedirs(apart, exist_ok=True)
            _limit_apart(controller, apart, limits)
    return folder


def join(groups: Groups, key: str, name: str, limits: GroupLimits) -> None:
    """Put this process into the groups that `make` made; raises OSError."""
    folders = [folder_of(groups, key, name)] if groups.unified else []
    folders += [
        os.path.join(parent, PREFIX + key, name)
        for controller, parent in groups.apart.items()
        if _wanted(controller, limits)
    ]
    for folder in folders:
        _write(os.path.join(folder, "cgroup.procs"), "0")


def kill(folder: str) -> bool:
    """Kill everything in a group of version 2; False where the kernel cannot (before Linux 5.14)."""
    try:
        _write(os.path.join(folder, "cgroup.kill"), "1")
    except OSError:
        return False
    return True


def remove_noted(run_dir: str, seconds: float = _SWEEP_SECONDS) -> bool:
    """Kill and remove all groups of an instance that is dead; is nothing left of them?

    A note that somebody else has written is not believed.
    """
    try:
        fd = os.open(os.path.join(run_dir, NOTES), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return True
    with open(fd, encoding="utf-8") as file:
        if os.fstat(fd).st_uid != os.geteuid():
            return True
        folders = file.read().splitlines()
    deadline = time.monotonic() + seconds
    left = [folder for folder in folders if PREFIX in folder and not _remove(folder, deadline)]
    return not left


def fork_into(folder: str, *, sibling: bool = False) -> int:
    """os.fork, with the child born in a group of version 2 if there is a folder; raises OSError.

    A `sibling` is a child of our parent, and not ours. For a process with one thread whose child soon
    executes another program.
    """
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC) if folder else -1
    flags = (_INTO_CGROUP if folder else 0) | (_PARENT if sibling else 0)
    ending = 0 if sibling else signal.SIGCHLD  # a sibling's end is signalled as ours would be
    fields = (flags, 0, 0, 0, ending, 0, 0, 0, 0, 0, max(fd, 0))
    arguments = struct.pack("=11Q", *fields)
    buffer = ctypes.create_string_buffer(arguments, len(arguments))
    ctypes.pythonapi.PyOS_BeforeFork()
    try:
        pid = kernel.syscall("clone3", buffer, len(arguments))
    except OSError:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
        if folder:
            os.close(fd)
        raise
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    if folder:
        os.close(fd)
    return pid


def _remove(folder: str, deadline: float) -> bool:
    """Remove a group and those below it, killing what is in there until it is empty."""
    if not os.path.isdir(folder):
        return True
    below = [entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    left = [path for path in below if not _remove(path, deadline)]
    clean = not left
    while clean:
        try:
            os.rmdir(folder)
            return True
        except FileNotFoundError:
            return True
        except OSError:
            if time.monotonic() > deadline:
                return False
        if not kill(folder):
            _kill_each(folder)
        time.sleep(0.001)
    return False


def _kill_each(folder: str) -> None:
    with open(os.path.join(folder, "cgroup.procs"), encoding="utf-8") as file:
        for line in file:
            try:
                os.kill(int(line), signal.SIGKILL)
            except ProcessLookupError:
                pass


def _wanted(controller: str, limits: GroupLimits) -> bool:
    values = {
        "memory": limits.resident_mb,
        "pids": limits.processes,
        "cpu": limits.cpu_percent,
    }
    return values[controller] is not None


def _switch_on(folder: str) -> None:
    """Let groups below have the controllers that this one has; where that is not allowed, they have none."""
    try:
        with open(os.path.join(folder, "cgroup.controllers"), encoding="utf-8") as file:
            there = file.read().split()
        wanted = " ".join(f"+{name}" for name in CONTROLLERS if name in there)
        if wanted:
            _write(os.path.join(folder, "cgroup.subtree_control"), wanted)
    except OSError:
        pass


def _limit(folder: str, limits: GroupLimits) -> None:
    quota = limits.cpu_percent
    values = {
        "memory.max": None if limits.resident_mb is None else str(limits.resident_mb << 20),
        "pids.max": None if limits.processes is None else str(limits.processes),
        "cpu.max": None if quota is None else f"{quota * _PERIOD_US // 100} {_PERIOD_US}",
    }
    for name, value in values.items():
        path = os.path.join(folder, name)
        if value is not None and os.path.exists(path):
            _write(path, value)


def _limit_apart(controller: str, folder: str, limits: GroupLimits) -> None:
    quota = limits.cpu_percent or 0
    values = {
        "memory": ("memory.limit_in_bytes", (limits.resident_mb or 0) << 20),
        "pids": ("pids.max", limits.processes),
        "cpu": ("cpu.cfs_quota_us", quota * _PERIOD_US // 100),
    }
    name, value = values[controller]
    _write(os.path.join(folder, name), str(value))


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)

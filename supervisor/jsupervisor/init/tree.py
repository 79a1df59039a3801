"""The whole process tree of a module ends with it.

A confined module starts no process at all (its seccomp filter sees to that), so its tree is itself. Of
others, by what there is:

    cgroup       one write to cgroup.kill ends everything in the module's group, forks under way included
    uid          a module with a uid of its own: whoever has it is signalled at one stroke
    best-effort  what has become our child and is none of ours is a stray, and killed with all below it

For the third, every module is the subreaper of its own descendants: they stay below it while it lives,
and come to us, all at once, when it is dead. So a stray belongs to a dead module, and never to a living
one. Newborn modules, which come to us in the same way, are told by their name, or by having begun
since a place was reserved. What forks faster than we look is found again when its killed parent is
reaped, since we look after every reaping, and when a reservation is settled.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NoReturn

from jsupervisor import linux
from jsupervisor.containment import cgroups
from jsupervisor.containment.cgroups import GroupLimits, Groups
from jsupervisor.containment.roles import role_of
from jsupervisor.init.table import Phase, Process
from jsupervisor.initproto import Json
from jsupervisor.linux import ProcessStat

NEWBORN: Final = ("jlauncher", "jinit-")
"""How a process's name begins from its fork by a launcher or a forker until it is a program."""
ALONE: Final = "alone"
CGROUP: Final = "cgroup"
UID: Final = "uid"
BEST_EFFORT: Final = "best-effort"
KILLERS: Final = 100
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Trees:
    """Ends what dead modules left behind."""

    def __init__(self, run_dir: str, *, groups: Groups) -> None:
        self.groups = groups
        self.sealed = False
        """Do filters hold modules? The launcher says so."""
        self.uids = False
        """Have modules uids of their own?"""
        self._key = os.path.basename(run_dir)
        self._dead: set[int] = set()
        self._empty: list[str] = []
        """Groups of programs that are dead, to be removed when nothing is in them any more."""
        self._folders: dict[int, str] = {}
        """Those of our own forks, by pid."""
        self._forked = 0
        self._in_doubt: int | None = None
        """The oldest reservation when a stranger was taken for its newborn, if one was."""
        cgroups.note(run_dir, self.groups, self._key)

    @property
    def kind(self) -> str:
        """How the tree of a program that starts others is ended on this machine."""
        return CGROUP if self.groups.unified else UID if self.uids else BEST_EFFORT

    def learn(self, words: Mapping[str, Json]) -> None:
        """What a launcher says of the layers that it lays."""
        self.sealed = not str(words.get("seccomp", "no:")).startswith("no:")
        self.uids = not str(words.get("uids", "no:")).startswith("no:")

    def way(self, process: Process) -> str:
        """How the tree of a module would be ended: ALONE, CGROUP, UID or BEST_EFFORT."""
        confinement = process.order.get("confinement")
        if not isinstance(confinement, Mapping) or not confinement:
            return CGROUP if self._folder(process) else BEST_EFFORT
        role = role_of(str(confinement.get("role", "")), str(process.order.get("executable")))
        if self.sealed and not role.executes:
            return ALONE
        if self._folder(process):
            return CGROUP
        return UID if self.uids and isinstance(confinement.get("uid"), int) else BEST_EFFORT

    def fork(self) -> int:
        """os.fork, with the child in a group of its own where there are groups; raises OSError.

        Where there are none the child is the subreaper of what it starts. A program that is not ours may
        not know that it has to reap what comes to it then, so it is not asked to without need.
        """
        folder = ""
        try:
            folder = self._new_group()
            pid = cgroups.fork_into(folder) if folder else os.fork()
        except OSError:
            folder = ""
            pid = os.fork()  # an old kernel, or a group that is gone
        if pid == 0:
            if not folder:
                linux.become_subreaper()
        else:
            self.register(pid, folder)
        return pid

    def fork_sibling(self) -> tuple[int, str]:
        """The same by another process on behalf of its parent, whose child it is; pid and group.

        That one has to `register` it. Raises OSError.
        """
        folder = ""
        try:
            folder = self._new_group()
            pid = cgroups.fork_into(folder, sibling=True)
        except OSError:
            folder = ""
            pid = cgroups.fork_into("", sibling=True)
        if pid == 0 and not folder:
            linux.become_subreaper()
        return pid, folder

    def register(self, pid: int, folder: str) -> None:
        """A child lives in a group of its own, or in none."""
        if folder:
            self._folders[pid] = folder

    def _new_group(self) -> str:
        """A group that never was: Linux 6.18 kills at once what is born into one that was killed before."""
        if not self.groups.unified:
            return ""
        while True:
            self._forked += 1
            name = f"program-{self._forked}"
            folder = cgroups.folder_of(self.groups, self._key, name)
            try:
                os.mkdir(folder)
            except FileExistsError:
                continue
            except FileNotFoundError:  # the first one of the instance
                cgroups.make(self.groups, self._key, name, GroupLimits())
            return folder

    def ended(self, process: Process) -> None:
        """A module is dead: end what it started."""
        self._dead.add(process.pid)
        match self.way(process):
            case "cgroup":
                folder = self._folder(process)
                cgroups.kill(folder)
                if self._folders.pop(process.pid, ""):
                    self._empty.append(folder)  # removed later: something may not be dead yet
            case "uid":
                confinement = process.order["confinement"]
                assert isinstance(confinement, Mapping)
                uid = confinement["uid"]
                assert isinstance(uid, int)
                kill_uid(uid)
            case _:
                pass

    def lost(self, pid: int) -> None:
        """A fork of ours that never became a module is dead."""
        folder = self._folders.pop(pid, "")
        if folder and not removed(folder):
            self._empty.append(folder)

    def sweep(self, known: Collection[int], processes: Iterable[Process]) -> None:
        """Kill all strays; `known` are our own children's pids. And remove groups that are empty by now."""
        self._empty = [path for path in self._empty if not removed(path)]
        self._in_doubt = None
        strangers = [pid for pid in linux.own_children() if pid not in known]
        if not strangers:
            self._dead.clear()
            return
        oldest = _oldest_reservation(processes)
        since = None if oldest is None else _ticks(oldest)
        for pid in strangers:
            if self._lives_in_a_group(pid):
                continue
            stat = linux.process_stat(pid)
            if stat is None or not self._may_be_stray(stat):
                continue
            if since is not None and stat.start_time >= since - 1:
                self._in_doubt = oldest  # a newborn, perhaps
                continue
            print(f"killing {stat.name} ({pid}), left behind", file=sys.stderr, flush=True)
            kill_below(pid)
            _kill(stat)

    def settled(self, processes: Iterable[Process]) -> bool:
        """Is a reservation settled in whose favour the last sweep let somebody go? Then sweep again."""
        return self._in_doubt is not None and self._in_doubt != _oldest_reservation(processes)

    def _may_be_stray(self, stat: ProcessStat) -> bool:
        if stat.state == "Z" or stat.name.startswith(NEWBORN):
            return False
        # PID 1 adopts whatever there is in its namespace: only what we know to be a module's is ours.
        return os.getpid() != 1 or stat.session in self._dead

    def _lives_in_a_group(self, pid: int) -> bool:
        """Has a program that is alive let go of it? Then it is ours to reap, and the group's to end."""
        if not self._folders:
            return False
        group = cgroups.group_of(self._key, pid)
        return any(os.path.basename(folder) == group for folder in self._folders.values())

    def _folder(self, process: Process) -> str:
        """The module's group; empty when it has none."""
        if not self.groups.unified:
            return ""
        if process.stage == "foreign":
            return self._folders.get(process.pid, "")
        folder = cgroups.folder_of(self.groups, self._key, process.name)
        return folder if os.path.isdir(folder) else ""


def removed(folder: str) -> bool:
    """Remove a group; False while something in it is not dead yet."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def kill_below(pid: int) -> None:
    """SIGKILL every present descendant of a process, which must not be reaped meanwhile."""
    parents: dict[int, list[ProcessStat]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and (stat := linux.process_stat(int(name))) is not None:
            parents.setdefault(stat.parent, []).append(stat)
    waiting = [pid]
    while waiting:
        for stat in parents.get(waiting.pop(), ()):
            waiting.append(stat.pid)
            _kill(stat)


def kill_uid(uid: int) -> None:
    """SIGKILL every process of a uid, at one stroke: a child becomes that uid and signals all it may."""
    for _ in range(KILLERS):
        pid = os.fork()
        if pid == 0:
            _kill_as(uid)
        if os.WIFEXITED(os.waitpid(pid, 0)[1]):
            return  # otherwise its victims were quicker


def _kill_as(uid: int) -> NoReturn:
    try:
        os.setresuid(uid, uid, uid)
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass  # nobody is left, or we may not
    finally:
        os._exit(0)


def _kill(stat: ProcessStat) -> None:
    """SIGKILL that very process, and no other that has got its pid since."""
    try:
        pidfd = os.pidfd_open(stat.pid)
    except OSError:
        return
    try:
        now = linux.process_stat(stat.pid)
        if now is not None and now.start_time == stat.start_time:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except OSError:
        pass
    finally:
        os.close(pidfd)


def _oldest_reservation(processes: Iterable[Process]) -> int | None:
    """When the oldest one was made that nobody has claimed; CLOCK_MONOTONIC in ns."""
    return min((p.reserved_ns for p in processes if p.phase is Phase.RESERVED), default=None)


def _ticks(monotonic_ns: int) -> int:
    """A time of CLOCK_MONOTONIC as /proc tells start times: ticks since boot."""
    asleep = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()
    return (monotonic_ns + asleep) * _TICKS // 1_000_000_000

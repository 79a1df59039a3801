"""All layers of containment around one newborn process, in the order in which they can be laid.

    enter()   folders, cgroup, uid and capabilities; clears the parent-death signal
    bind()    no_new_privs, limits
    seal()    Landlock and seccomp, when every descriptor that the process starts with is open

A step that fails raises: a module that cannot be held to its role is not run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from jsupervisor.containment import (
    cgroups,
    credentials,
    folders,
    kernel,
    landlock,
    limits,
    seccomp,
)
from jsupervisor.containment.cgroups import GroupLimits
from jsupervisor.containment.credentials import Identity
from jsupervisor.containment.landlock import Paths
from jsupervisor.containment.limits import Limits
from jsupervisor.containment.machine import Machine
from jsupervisor.containment.roles import Role
from jsupervisor.containment.seccomp import Filter

PR_SET_CHILD_SUBREAPER: Final = 36


@dataclass(slots=True, kw_only=True)
class Cell:
    """The containment of one process: made before its fork, laid by itself."""

    role: Role
    name: str
    run_dir: str
    machine: Machine
    capabilities: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    group_limits: GroupLimits = field(default_factory=GroupLimits)
    identity: Identity | None = None
    owns: tuple[str, ...] = ()
    keeps_files_in: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    """The modules inside; each has a socket folder."""
    notes: bool = False
    """Does it make things outside the instance's folders?"""
    paths: Paths = field(default_factory=Paths)
    filter: Filter | None = None
    _ruleset: int = field(default=-1, init=False)

    def enter(self) -> None:
        """Folders, cgroup, rules, uid; raises OSError or FolderError."""
        if self.identity is not None:
            for member in self.members:
                folders.take_socket_folder(self.run_dir, member, self.identity)
            folders.give(self.identity, self.owns, self.keeps_files_in)
            folders.let_list(self.identity, self.lists)
        if self.notes:
            folders.make_notes(self.run_dir, self.identity)
        self._join()
        self.open_rules()
        if self.role.confined or self.identity is not None:
            credentials.drop(self.identity, self.capabilities, self.machine.capabilities)

    def _join(self) -> None:
        wanted = self.group_limits != GroupLimits()
        if not wanted and not self.role.executes:
            return
        key = os.path.basename(self.run_dir)
        try:
            cgroups.make(self.machine.groups, key, self.name, self.group_limits)
            cgroups.join(self.machine.groups, key, self.name, self.group_limits)
        except OSError as error:
            if wanted:
                where = f"cannot limit {self.name} by its cgroup"
                raise OSError(error.errno, f"{where}: {error.strerror}") from error

    def open_rules(self) -> None:
        """Make the rules that `seal` puts into force, while all paths can be opened; raises OSError."""
        if self.machine.landlock and self.role.confined:
            self._ruleset = landlock.make_ruleset(
                self.paths, self.machine.landlock, signals=self.role.executes
            )

    def bind(self) -> None:
        """no_new_privs and limits; raises OSError. Orphans of what it starts come to it, not to init."""
        kernel.prctl(PR_SET_CHILD_SUBREAPER, 1)
        if self.role.confined:
            limits.no_new_privs()
        self.limits.apply(own_uid=self.identity is not None)

    def seal(self) -> None:
        """Landlock and seccomp, for ever; raises OSError. Before the first thread is started."""
        if self._ruleset >= 0:
            landlock.restrict(self._ruleset)
            self._ruleset = -1
        elif self.role.confined:
            # Landlock would keep those who share the uid out of this process's memory.
            kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
        if self.filter is not None:
            seccomp.install(self.filter.program(os.getpid()))

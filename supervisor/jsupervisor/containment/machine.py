"""What this machine offers for containment, looked up once by each launcher, and why it lacks the rest.

What is lacking switches a layer off and nothing else: a router starts wherever Linux runs.
"""

from __future__ import annotations

import os
import site
import sys
from dataclasses import dataclass, field
from typing import Final

from jsupervisor.containment import credentials, kernel, landlock
from jsupervisor.containment.cgroups import Groups, find
from jsupervisor.containment.syscalls import MACHINES

PR_GET_SECCOMP: Final = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Each layer, or why it is not to be had."""

    landlock: int = 0
    """The ABI; 0 when there is none."""
    no_landlock: str = ""
    seccomp: str = ""
    """The instruction set that filters are made for; empty when there are none."""
    no_seccomp: str = ""
    no_uids: str = "not asked for"
    """Empty: modules get uids of their own."""
    capabilities: int = 0
    """Those that the launcher holds, as a mask."""
    groups: Groups = field(default_factory=Groups)

    @property
    def uids(self) -> bool:
        """Do modules get uids of their own?"""
        return not self.no_uids

    def words(self) -> dict[str, str]:
        """For people: each layer and what there is of it."""
        groups = self.groups
        return {
            "uids": "one for each module" if self.uids else f"no: {self.no_uids}",
            "landlock": f"ABI {self.landlock}" if self.landlock else f"no: {self.no_landlock}",
            "seccomp": self.seccomp or f"no: {self.no_seccomp}",
            "cgroup": groups.unified or f"no: {groups.why}",
        }


def look() -> Machine:
    """This machine, without a decision about uids."""
    version, no_landlock = 0, ""
    try:
        version = landlock.abi()
    except OSError as error:
        no_landlock = error.strerror or str(error)
    machine = kernel.architecture()
    no_seccomp = "" if machine in MACHINES else f"no filter is known for {machine}"
    try:
        kernel.prctl(PR_GET_SECCOMP)
    except OSError as error:
        no_seccomp = error.strerror or str(error)
    return Machine(
        landlock=version,
        no_landlock=no_landlock,
        seccomp="" if no_seccomp else machine,
        no_seccomp=no_seccomp,
        capabilities=credentials.capabilities(),
        groups=find(),
    )


def code_paths() -> tuple[str, ...]:
    """Where Python and all that it may import lie."""
    found = [sys.prefix, sys.base_prefix, sys.executable, *sys.path, *site.getsitepackages()]
    return tuple(dict.fromkeys(os.path.realpath(path) for path in found if path))

"""What a launcher does once for all modules that it will start: can they have uids, and then the way to
what they need (folders they may pass, or a private view).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from jsupervisor.containment import credentials, folders, limits, view
from jsupervisor.containment.cgroups import NONE
from jsupervisor.containment.machine import Machine, code_paths, look
from jsupervisor.initproto import Json

AUTO: Final = "auto"
YES: Final = "yes"
NO: Final = "no"


class NoUids(Exception):
    """Modules must have uids of their own, says the plan, and cannot; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the plan and the instance's folders say about uids."""

    uids: str = NO
    """AUTO, YES or NO."""
    lowest: int = 0
    highest: int = 0
    group: int = 0
    ports_group: int = 0
    home: str = ""
    run_dir: str = ""
    cgroups: bool = True
    folders: tuple[str, ...] = ()
    """Those in which ports have their sockets."""

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """From a launcher's setup; without one modules have no uids."""
        if not isinstance(value, Mapping):
            return cls()
        listed = value.get("folders")
        return cls(
            uids=str(value["uids"]),
            lowest=int(str(value["lowest"])),
            highest=int(str(value["highest"])),
            group=int(str(value["group"])),
            ports_group=int(str(value["ports_group"])),
            home=str(value["home"]),
            run_dir=str(value["run_dir"]),
            cgroups=value.get("cgroups") is not False,
            folders=tuple(str(path) for path in listed) if isinstance(listed, list) else (),
        )

    def open_passage(self) -> str:
        """Whoever boots the instance opens its folders; why modules cannot have uids, or empty.

        Raises NoUids or OSError.
        """
        why = "switched off in the profile" if self.uids == NO else why_no_uids(self)
        if why and self.uids == YES:
            raise NoUids(f"modules cannot have uids of their own: {why}")
        if os.geteuid() == 0:
            folders.take_back(self.home)  # from the uids of another start
        if not why:
            folders.open_passage(self.home, self.run_dir, self.group, self.ports_group)
        return why

    def prepare(self) -> Machine:
        """Look at the machine and lay the ground; raises NoUids.

        This process, a launcher, gains no rights any more and leaves no core.
        """
        limits.no_new_privs()
        limits.no_core()
        credentials.bound()
        why = "switched off in the profile" if self.uids == NO else self._open()
        if why and self.uids == YES:
            raise NoUids(f"cannot give modules uids of their own: {why}")
        machine = replace(look(), no_uids=why)
        return machine if self.cgroups else replace(machine, groups=NONE)

    def _open(self) -> str:
        """Let modules reach what they need under uids of their own; why that cannot be, or empty."""
        if why := why_no_uids(self):
            return why
        try:
            covers = view.plan([*code_paths(), self.home, self.run_dir, *self.folders])
            if covers:
                view.enter(covers)
        except view.ViewError as error:
            return str(error)
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        return ""


def why_no_uids(ground: Ground) -> str:
    """Why this process cannot give those uids to others; empty when it can."""
    try:
        with open("/proc/self/uid_map", encoding="utf-8") as file:
            uid_map = file.read()
        return credentials.why_not(
            ground.lowest, ground.highest, uid_map, credentials.capabilities()
        )
    except OSError as error:
        return f"{error.filename}: {error.strerror}"

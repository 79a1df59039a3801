"""s6 and runit: a folder for each service, a small supervisor process for each folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bench.supervisors import procfs
from bench.supervisors.system import System, debian_version, find, write


class S6(System):
    """s6-svscan, with the readiness descriptor that makes its restarts fast."""

    policy: ClassVar[str] = "default: always; at most one spawn a second; notification-fd 3"
    ready: ClassVar[str] = "fd:3"

    @classmethod
    def version(cls) -> str:
        """As Debian has it."""
        find("s6-svscan", "s6")
        return debian_version("s6")

    def configure(self) -> None:
        """A folder for each program, with its run file."""
        for work in self.site.works:
            folder = self.site.folder / "services" / work.name
            write(folder / "run", work.script, 0o755)
            if self.ready != "none":
                write(folder / "notification-fd", "3\n")

    def command(self) -> Sequence[str]:
        """One scanner for the folder of folders."""
        count = str(len(self.site.works) + 16)
        return (find("s6-svscan", "s6"), "-c", count, str(self.site.folder / "services"))


class S6Plain(S6):
    """The same as most service folders are: without a readiness descriptor."""

    policy: ClassVar[str] = "default: always; at most one spawn a second; no readiness"
    ready: ClassVar[str] = "none"


class S6Leaf(S6):
    """The same, when it is not the scanner that dies but one s6-supervise."""

    def victim(self) -> int:
        """The supervisor of the first service."""
        return leaf(self, "s6-supervise")


class Runit(System):
    """runsvdir and its runsv processes."""

    policy: ClassVar[str] = "default: always; 1 s pause if it ran less than 1 s"

    @classmethod
    def version(cls) -> str:
        """As Debian has it."""
        find("runsvdir", "runit")
        return debian_version("runit")

    def configure(self) -> None:
        """A folder for each program, with its run file."""
        for work in self.site.works:
            write(self.site.folder / "services" / work.name / "run", work.script, 0o755)

    def command(self) -> Sequence[str]:
        """One scanner for the folder of folders."""
        return (find("runsvdir", "runit"), str(self.site.folder / "services"))


class RunitLeaf(Runit):
    """The same, when it is not the scanner that dies but one runsv."""

    def victim(self) -> int:
        """The supervisor of the first service."""
        return leaf(self, "runsv")


def leaf(system: System, name: str) -> int:
    """The small supervisor process of the first program; raises LookupError."""
    wanted = f"{name}\0{system.site.works[0].name}\0"
    for pid in procfs.tree(system.root):
        if procfs.command_line(pid) == wanted:
            return pid
    raise LookupError(f"cannot find {name} of {system.site.works[0].name}")

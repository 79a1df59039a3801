"""One supervisor under measurement: what it is given, how it is started, which processes are its own.

A system is made once for each measurement, in a folder of its own. What the peers differ in is in
`peers/`; everything here is the same for all, so that what is measured is too.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from bench.supervisors import procfs
from bench.supervisors.board import Board, Stamps
from bench.supervisors.work import NotToBeHad, Work

END_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a system runs, and what it has to supervise."""

    folder: Path
    works: tuple[Work, ...]
    board: Board
    mark: str


class System(ABC):
    """One supervisor in one configuration."""

    policy: ClassVar[str]
    """The configuration as the tables print it: what is not the default, and how it restarts."""
    ready: ClassVar[str] = "none"
    """How its programs say that they are ready, in the words of trivial.c."""
    beat_ms: ClassVar[int] = 0
    """How often its programs are to say WATCHDOG=1, where the measurement wants heartbeats."""
    poll_seconds: ClassVar[float] = 0.0
    """How often it looks, where it polls: kills are spread over one such period at random."""
    own_cgroup: ClassVar[bool] = False
    """Does it need a control group tree and a /run of its own?"""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.stamps: Stamps = site.board
        self.process: subprocess.Popen[bytes] | None = None

    # -- what a system says of itself ------------------------------------------------------

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Its version; raises NotToBeHad with the reason."""

    @abstractmethod
    def configure(self) -> None:
        """Write its files into the site's folder."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What is executed; it stays in the foreground."""

    def environment(self) -> Mapping[str, str]:
        """What it needs in its environment besides ours."""
        return {}

    # -- its life --------------------------------------------------------------------------

    def start(self) -> int:
        """Configure and start; when it was executed (CLOCK_MONOTONIC ns).

        Its environment becomes that of this process, which is there for one measurement only.
        """
        os.environ.update(self.environment())
        self.configure()
        return self.again()

    def again(self) -> int:
        """Start it, once more on the same files after it died; when."""
        if self.process is not None:
            self.process.poll()
        with (self.site.folder / "output").open("ab") as output:
            now = time.monotonic_ns()
            self.process = subprocess.Popen(
                list(self.command()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.site.folder,
                start_new_session=True,
            )
        return now

    @property
    def root(self) -> int:
        """The pid that was started."""
        if self.process is None:
            raise RuntimeError("cannot look at a supervisor that was not started")
        return self.process.pid

    def refused(self) -> bool:
        """Has it ended by itself, with an error?"""
        return self.process is not None and self.process.poll() not in (None, 0)

    def supervisors(self) -> list[int]:
        """All its own processes: what it started, without the supervised programs."""
        works = {pid for pids in procfs.marked(self.site.mark).values() for pid in pids}
        return [pid for pid in procfs.tree(self.root) if pid not in works]

    def pid(self, index: int) -> int:
        """The process of a program, by its newest stamp."""
        return self.stamps.newest[index].pid

    def victim(self) -> int:
        """The process whose death is the death of the supervisor."""
        return self.root

    def output(self) -> str:
        """The last lines that it wrote, for an error message."""
        try:
            text = (self.site.folder / "output").read_text(errors="replace")
        except OSError:
            return ""
        return " | ".join(text.splitlines()[-5:])

    def stop(self) -> None:
        """End it and everything below this process, by pid; returns when nothing is left."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        end_descendants()


def end_descendants(timeout: float = END_SECONDS) -> None:
    """SIGKILL all that this process started or inherited, until nothing is left."""
    deadline = time.monotonic() + timeout
    while left := [pid for pid in procfs.tree(os.getpid()) if pid != os.getpid()]:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap()
        if time.monotonic() > deadline:
            raise RuntimeError(f"cannot end {left}")
        time.sleep(LOOK_SECONDS)
    reap()


def reap() -> None:
    """Collect whatever has ended below this process."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def find(name: str, package: str) -> str:
    """The path of an installed program; raises NotToBeHad."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise NotToBeHad(f"{name} is not installed (Debian's package {package})")
    return path


def debian_version(package: str) -> str:
    """The upstream version of an installed Debian package; raises NotToBeHad."""
    command = ["dpkg-query", "-W", "-f", "${Status}\t${Version}", package]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotToBeHad(f"Debian's package {package}: no dpkg here") from error
    status, _, version = result.stdout.partition("\t")
    if "install ok installed" not in status:
        raise NotToBeHad(f"Debian's package {package} is not installed")
    return upstream(version)


def upstream(version: str) -> str:
    """A Debian version without epoch and revision: 1:25.2.3+dfsg-1 is 25.2.3."""
    return re.split(r"[-+~]", version.partition(":")[2] or version, maxsplit=1)[0]


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)

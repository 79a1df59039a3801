"""supervisord and circus, from PyPI, in an environment that only the benchmark has."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from bench.supervisors.system import System, write
from bench.supervisors.work import NotToBeHad

ENVIRONMENT: Final = "JSUP_BENCH_VENV"
"""Where the set-up has put supervisor and circus."""


def folder() -> Path:
    """The environment of the peers that are Python packages."""
    cache = os.environ.get("XDG_CACHE_HOME") or f"{os.environ.get('HOME') or '/tmp'}/.cache"
    return Path(os.environ.get(ENVIRONMENT) or f"{cache}/jsupervisor-bench/venv")


def _version(package: str) -> str:
    program = f"import importlib.metadata as m; print(m.version({package!r}))"
    python = folder() / "bin" / "python"
    if not python.exists():
        raise NotToBeHad(f"{package}: bench/run's set-up has made no environment in {folder()}")
    result = subprocess.run(
        [str(python), "-c", program], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise NotToBeHad(f"{package} is not installed in {folder()}")
    return result.stdout.strip()


class Supervisord(System):
    """supervisord with autorestart."""

    policy: ClassVar[str] = "autorestart=true, else default (1 s poll, startsecs 1)"
    poll_seconds: ClassVar[float] = 1.0

    @classmethod
    def version(cls) -> str:
        """As PyPI has it."""
        return _version("supervisor")

    def configure(self) -> None:
        """One file."""
        lines = [
            "[supervisord]",
            f"directory={self.site.folder}",
            f"childlogdir={self.site.folder}",
            f"logfile={self.site.folder}/supervisord.log",
            f"pidfile={self.site.folder}/supervisord.pid",
        ]
        for work in self.site.works:
            lines += [
                f"[program:{work.name}]",
                f"command={' '.join(work.command)}",
                "autorestart=true",
            ]
        write(self.site.folder / "supervisord.conf", "\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        """In the foreground."""
        config = str(self.site.folder / "supervisord.conf")
        return (str(folder() / "bin" / "supervisord"), "-n", "-c", config)


class Circus(System):
    """circusd as it comes."""

    policy: ClassVar[str] = "default: looks every 5 s (check_delay)"
    poll_seconds: ClassVar[float] = 5.0

    @classmethod
    def version(cls) -> str:
        """As PyPI has it."""
        return _version("circus")

    def configure(self) -> None:
        """One file; its sockets are files too, so that no port is taken."""
        lines = [
            "[circus]",
            f"check_delay = {self.poll_seconds:g}",
            f"endpoint = ipc://{self.site.folder}/endpoint",
            f"pubsub_endpoint = ipc://{self.site.folder}/pubsub",
        ]
        for work in self.site.works:
            lines += [
                f"[watcher:{work.name}]",
                f"cmd = {' '.join(work.command)}",
                "copy_env = True",
            ]
        write(self.site.folder / "circus.ini", "\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        """In the foreground."""
        return (str(folder() / "bin" / "circusd"), str(self.site.folder / "circus.ini"))


class CircusFast(Circus):
    """circusd made to look ten times a second."""

    policy: ClassVar[str] = "check_delay = 0.1 (default 5)"
    poll_seconds: ClassVar[float] = 0.1

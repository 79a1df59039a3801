"""Fetches the peers: from Debian as root, and from PyPI into an environment of their own.

Nothing outside the benchmark needs them. What cannot be had is no error here: the system says so itself
when it is asked for its version, and stands in the tables with that reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from bench.supervisors.peers import python as pypi
from bench.supervisors.system import debian_version
from bench.supervisors.work import NotToBeHad

DEBIAN: Final = ("gcc", "libc6-dev", "s6", "runit", "erlang-base", "systemd")
NEWER: Final = ("dinit",)
"""What newer releases of Debian have."""
PYPI: Final = ("supervisor", "circus")
SECONDS: Final = 600


def prepare() -> list[str]:
    """Install what is missing; what could not be, one line each."""
    return [*_debian(), *_pypi()]


def _debian() -> list[str]:
    missing = [name for name in DEBIAN if not _installed(name)]
    if missing and (os.geteuid() != 0 or shutil.which("apt-get") is None):
        return [f"cannot install {name}: that needs root on a Debian system" for name in missing]
    if missing:
        _run(["apt-get", "update", "-q"])
    # Debian 12 has no dinit: that is no reason to ask for new lists at every start.
    missing += [
        name for name in NEWER if not _installed(name) and _run(["apt-cache", "show", name]) == ""
    ]
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends"]
    return [why for name in missing if (why := _run([*command, name]))]


def _installed(package: str) -> bool:
    try:
        debian_version(package)
    except NotToBeHad:
        return False
    return True


def _pypi() -> list[str]:
    folder = pypi.folder()
    if all((folder / "bin" / name).exists() for name in ("supervisord", "circusd")):
        return []
    folder.parent.mkdir(parents=True, exist_ok=True)
    why = _run([sys.executable, "-m", "venv", str(folder)])
    return (
        [why]
        if why
        else [
            why
            for name in PYPI
            if (why := _run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", name]))
        ]
    )


def _run(command: Sequence[str]) -> str:
    """Why a command failed, in one line; empty when it did not."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        result = subprocess.run(
            list(command),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"cannot run {command[0]}: {error}"
    if result.returncode == 0:
        return ""
    said = (result.stderr.strip() or result.stdout.strip() or "no reason given").splitlines()[-1]
    return f"cannot install {command[-1]}: {said}"

"""What `Router` and `AsyncRouter` share: errors, names, and proof that nothing is left.

An instance of a test has a home of its own, so that tests neither meet each other nor the router
that the developer runs beside them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from jsupervisor.observer import processes
from jsupervisor.observer.processes import ProcessId
from jsupervisor.paths import Instance

_NUMBERS: Final = count(1)


class HarnessError(Exception):
    """The router did not do what the test needs; the text begins with "cannot"."""


class NoAnswer(HarnessError):
    """A module did not answer a call; it may be dead, and its successor may."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What is there of an instance that should have gone."""

    processes: tuple[ProcessId, ...]
    files: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.processes or self.files)

    def __str__(self) -> str:
        pids = " ".join(str(process.pid) for process in self.processes)
        return f"processes: {pids or 'none'}; files: {' '.join(self.files) or 'none'}"


def unique_name(kind: str = "test") -> str:
    """An instance name that no other test of this host uses."""
    return f"{kind}-{os.getpid()}-{next(_NUMBERS)}"


def leftovers(instance: Instance, known: Iterable[ProcessId] = ()) -> Leftovers:
    """What is left of `instance`: processes seen earlier or still naming its folder, and sockets."""
    left = {process for process in known if processes.alive(process)}
    left.update(naming(str(instance.run_dir)))
    files = sorted(str(path) for path in _files(instance.run_dir))
    return Leftovers(tuple(sorted(left)), tuple(files))


def naming(text: str) -> list[ProcessId]:
    """Living processes whose command line holds `text`; this process does not count."""
    wanted = os.fsencode(text)
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            command = Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:
            continue
        process = processes.identify(int(entry))
        if wanted in command and process is not None and processes.alive(process):
            found.append(process)
    return found


def _files(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log, for an error message; empty when there is none."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""

"""Runs one measurement in a process of its own, in namespaces that end with it.

With root a new PID namespace holds the cell and everything that any supervisor starts: whatever a
peer forgets dies with it. Without root the cell is a subreaper and ends its descendants one by one.
systemd's user manager gets a control group tree of its own besides, and a /run that says that there
is a systemd.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bench.supervisors import procfs

from jsupervisor.containment import cgroups

ROOT: Final = Path(__file__).resolve().parents[2]
MODULE: Final = "bench.supervisors.cell"
NAMESPACES: Final = ("unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
FOR_SYSTEMD: Final = (
    "set -e; umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup;"
    ' mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system; exec "$@"'
)
Row = Mapping[str, object]


class CellError(Exception):
    """A measurement did not come to its end; the text says why."""


def measure(request: Mapping[str, object], *, own_cgroup: bool, timeout: float) -> list[Row]:
    """The rows of one measurement; raises CellError.

    `request` is what `cell` reads. Nothing of it is left afterwards, neither process nor file.
    """
    folder = Path(tempfile.mkdtemp(prefix="jb-"))
    try:
        with _control_group(own_cgroup and os.geteuid() == 0) as group:
            return _run(_command(request, folder, group), folder, timeout)
    finally:
        for note in folder.rglob(cgroups.NOTES):
            cgroups.remove_noted(str(note.parent))
        shutil.rmtree(folder, ignore_errors=True)


def _command(request: Mapping[str, object], folder: Path, group: Path | None) -> list[str]:
    cell = [sys.executable, "-m", MODULE, json.dumps({**request, "folder": str(folder)})]
    if os.geteuid() != 0:
        return cell
    if group is None:
        return [*NAMESPACES, *cell]
    into = f'echo $$ > {group}/cgroup.procs; exec "$@"'
    inside = [*NAMESPACES, "--cgroup", "sh", "-c", FOR_SYSTEMD, "sh", *cell]
    return ["sh", "-c", into, "sh", *inside]


def _run(command: list[str], folder: Path, timeout: float) -> list[Row]:
    errors = folder / "cell.stderr"
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        errors.open("wb") as stderr,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            cwd=ROOT,
        ) as process,
    ):
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise CellError(f"cannot finish within {timeout:g} s") from None
        finally:
            _end(process)
    if process.returncode:
        said = errors.read_text(errors="replace").strip().splitlines() or ["no reason given"]
        raise CellError(said[-1])
    return [json.loads(line) for line in output.splitlines()]


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for a cell that is still there, and for all below it."""
    for pid in [] if process.poll() is not None else procfs.tree(process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def _control_group(wanted: bool) -> Iterator[Path | None]:
    """An empty control group (version 2) below our own, removed with all below it at the end."""
    parent = _own_group() if wanted else None
    if parent is None:
        yield None
        return
    group = parent / f"jsup-bench-{os.getpid()}"
    group.mkdir()
    try:
        yield group
    finally:
        remove_group(group)


def _own_group() -> Path | None:
    """The folder of our group in the hierarchy of version 2; None where there is none."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    folder = next((words[1] for line in mounts if (words := line.split())[2] == "cgroup2"), None)
    groups = Path("/proc/self/cgroup").read_text().splitlines()
    path = next((line[3:] for line in groups if line.startswith("0::")), None)
    return Path(folder + path) if folder and path else None


def remove_group(group: Path, timeout: float = 5.0) -> None:
    """Remove a control group and those below it, once their processes have ended."""
    deadline = time.monotonic() + timeout
    for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
        _remove(folder, deadline)
    _remove(group, deadline)


def _remove(folder: Path, deadline: float) -> None:
    while True:
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)

"""The layers around one process, laid in a child in the order of the start protocol."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.containment import cgroups, credentials, kernel
from jsupervisor.containment.cell import Cell
from jsupervisor.containment.cells import Cells
from jsupervisor.containment.cgroups import GroupLimits
from jsupervisor.containment.machine import Machine, look
from jsupervisor.containment.roles import ROLES
from jsupervisor.initproto import Message
from jsupervisor.paths import make_module_folder

InChild = Callable[[Callable[[], object]], object]
ROOT = os.geteuid() == 0
HERE = look()
RUN = f"run-{os.getpid()}"
"""Names the groups, too."""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Path]:
    """The folders of an instance, which others may pass as far as root can help it."""
    for name in ("home", "home/log", "home/config", "home/crash", RUN):
        (tmp_path / name).mkdir()
    (tmp_path / "home" / "config" / "juniper.conf").write_text("secret")
    cgroups.note(str(tmp_path / RUN), HERE.groups, RUN)
    yield tmp_path
    assert cgroups.remove_noted(str(tmp_path / RUN))


def make(instance: Path, machine: Machine, executable: str = "mgd") -> Cell:
    """The cell of a module, and its socket folder."""
    order: Message = {
        "name": executable,
        "executable": executable,
        "home": str(instance / "home"),
        "run_dir": str(instance / RUN),
        "confinement": {"role": "", "limits": {}, "uid": 70002, "groups": [70000]},
    }
    make_module_folder(instance / RUN, executable)
    cell = Cells(machine).cell(order)
    assert cell is not None
    return cell


def laid(cell: Cell, attempt: Callable[[], object]) -> Callable[[], object]:
    """The attempt, in that cell."""

    def run() -> object:
        cell.enter()
        cell.bind()
        cell.seal()
        return attempt()

    return run


def test_a_module_reaches_what_is_its_own(in_child: InChild, instance: Path) -> None:
    cell = make(instance, HERE)

    def use() -> object:
        os.chdir(instance / RUN / "mgd")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind("plain.1.sock")
        return (instance / "home" / "config" / "juniper.conf").read_text()

    assert "secret" == in_child(laid(cell, use))


@pytest.mark.skipif(not HERE.landlock, reason="the kernel has no Landlock")
def test_and_not_what_is_anothers(in_child: InChild, instance: Path) -> None:
    cell = make(instance, HERE, "rpd")

    with pytest.raises(PermissionError):
        in_child(laid(cell, (instance / "home" / "config" / "juniper.conf").read_text))


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.root
def test_with_uids_everything_it_needs_is_given_to_it(in_child: InChild, instance: Path) -> None:
    machine = replace(HERE, no_uids="", capabilities=credentials.capabilities())
    cell = make(instance, machine)
    at = instance
    while at != at.parent and at.stat().st_uid == 0:
        if not at.stat().st_mode & 1:
            os.chmod(at, at.stat().st_mode | 0o011)
        at = at.parent

    def use() -> object:
        return os.getresuid(), (instance / "home" / "config" / "juniper.conf").read_text()

    assert ((70002,) * 3, "secret") == in_child(laid(cell, use))
    assert 0o2710 == os.stat(instance / RUN / "mgd").st_mode & 0o7777


def test_without_landlock_nobody_of_the_same_uid_reads_its_memory(
    in_child: InChild, instance: Path
) -> None:
    cell = make(instance, replace(HERE, landlock=0))

    assert 0 == in_child(laid(cell, lambda: kernel.prctl(3)))  # PR_GET_DUMPABLE


def test_who_is_not_confined_is_left_alone(in_child: InChild, instance: Path) -> None:
    cell = replace(make(instance, HERE), role=ROLES["none"], filter=None)

    def look_at_it() -> object:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        return kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS), os.listdir("/")

    found = in_child(laid(cell, look_at_it))
    assert isinstance(found, tuple)
    assert 0 == found[0]


def test_a_limit_of_a_group_that_cannot_be_had_is_an_error(
    in_child: InChild, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(cgroups, "make", refuse)
    cell = replace(make(instance, HERE), group_limits=GroupLimits(resident_mb=1))

    with pytest.raises(OSError, match="cannot limit mgd by its cgroup: Read-only file system"):
        in_child(laid(cell, lambda: None))
    in_child(laid(replace(cell, group_limits=GroupLimits()), lambda: None))

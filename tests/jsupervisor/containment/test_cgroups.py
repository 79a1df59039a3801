"""Control groups: where they are, and what they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.containment import cgroups
from jsupervisor.containment.cgroups import GroupLimits, Groups, places

GROUPS = cgroups.find()
KEY = f"test-{os.getpid()}"
needs_groups = pytest.mark.skipif(not GROUPS.kills, reason=GROUPS.why)
InChild = Callable[[Callable[[], object]], object]

MOUNTS = """\
28 20 0:25 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro
30 28 0:27 / /sys/fs/cgroup/unified rw shared:5 - cgroup2 cgroup2 rw
31 28 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 28 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
33 28 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
"""
OWN = """\
4:memory:/user
3:cpu,cpuacct:/docker/ab/mine
1:name=systemd:/
0::/user.slice/me
"""


def test_groups_are_made_below_the_processs_own() -> None:
    assert (
        "/sys/fs/cgroup/unified/user.slice/me",
        {"memory": "/sys/fs/cgroup/memory/user", "cpu": "/sys/fs/cgroup/cpu,cpuacct/mine"},
    ) == places(MOUNTS, OWN)


def test_a_machine_of_version_2_alone_has_one_tree() -> None:
    mounts = "30 28 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

    assert ("/sys/fs/cgroup/me", {}) == places(mounts, "0::/me\n")


def test_a_machine_without_any_says_so() -> None:
    assert ("", {}) == places("", "")
    assert not Groups(why="none").kills


@pytest.fixture
def group() -> Iterator[str]:
    """A group of version 2; nothing of it is left."""
    folder = cgroups.make(GROUPS, KEY, "rpd", GroupLimits())
    yield folder
    here = [path for path in (GROUPS.unified, *GROUPS.apart.values()) if path]
    for path in here:
        cgroups._remove(f"{path}/{cgroups.PREFIX}{KEY}", float("inf"))


# In an interpreter of its own, with one thread, as init is: what is forked past the C library may find a lock
# of another thread held for ever.
BIRTH = """
import os, signal, sys
from jsupervisor.containment import cgroups
ours, theirs = os.pipe()
pid = cgroups.fork_into(sys.argv[1])
if pid == 0:
    os.fork()
    os.setsid()
    os.write(theirs, b"x")
    signal.pause()
os.close(theirs)
there = b""
while len(there) < 2:
    there += os.read(ours, 2)
with open(f"{sys.argv[1]}/cgroup.procs") as file:
    members = file.read().split()
assert cgroups.kill(sys.argv[1])
assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
assert str(pid) in members and len(members) == 2, members
assert os.read(ours, 1) == b""  # the grandchild, who held the other end, is gone as well
"""


@needs_groups
def test_a_child_is_born_in_its_group_and_all_of_it_dies_at_once(group: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BIRTH, group], check=False, capture_output=True, timeout=30
    )

    assert (0, b"") == (done.returncode, done.stderr)


@needs_groups
def test_a_process_joins_its_group(group: str, in_child: InChild) -> None:
    def join() -> object:
        cgroups.join(GROUPS, KEY, "rpd", GroupLimits())
        return str(os.getpid()) in Path(group, "cgroup.procs").read_text().split()

    assert in_child(join)


@needs_groups
@pytest.mark.skipif("pids" not in GROUPS.apart, reason="no controller for pids of version 1")
def test_the_number_of_processes_is_held(group: str, in_child: InChild) -> None:
    limits = GroupLimits(processes=1)
    cgroups.make(GROUPS, KEY, "rpd", limits)

    def fork() -> None:
        cgroups.join(GROUPS, KEY, "rpd", limits)
        if os.fork() == 0:
            os._exit(0)

    with pytest.raises(BlockingIOError):
        in_child(fork)


@needs_groups
def test_who_removes_the_run_folder_ends_and_removes_its_groups(group: str, tmp_path: Path) -> None:
    cgroups.note(str(tmp_path), GROUPS, KEY)
    pid = cgroups.fork_into(group)
    if pid == 0:
        signal.pause()
        os._exit(0)
    # A zombie keeps no group: what is left is removed as soon as it is dead.
    clean = cgroups.remove_noted(str(tmp_path))
    os.waitpid(pid, 0)

    assert (True, False) == (clean, os.path.exists(os.path.dirname(group)))


def test_a_note_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (tmp_path / "cgroups").write_text(f"{victim}\n")

    assert cgroups.remove_noted(str(tmp_path))
    assert victim.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.root
def test_a_note_of_somebody_elses_is_not_believed(tmp_path: Path) -> None:
    victim = tmp_path / f"{cgroups.PREFIX}x"
    victim.mkdir()
    (tmp_path / "cgroups").write_text(f"{victim}\n")
    os.chown(tmp_path / "cgroups", 70001, 70001)

    assert cgroups.remove_noted(str(tmp_path))
    assert victim.exists()


def test_no_note_is_nothing_to_remove(tmp_path: Path) -> None:
    assert cgroups.remove_noted(str(tmp_path))


@needs_groups
def test_controllers_are_those_that_groups_below_could_have() -> None:
    assert set(GROUPS.apart) <= set(cgroups.controllers(GROUPS)) <= set(cgroups.CONTROLLERS)
    assert [] == cgroups.controllers(replace(GROUPS, unified="/not/there", apart={}))

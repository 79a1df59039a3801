"""What dead modules leave behind is ended: found by cgroup, by uid, or as a stray."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jsupervisor import linux
from jsupervisor.containment import cgroups
from jsupervisor.containment.cgroups import GroupLimits, Groups
from jsupervisor.init.table import Phase, Process
from jsupervisor.init.tree import ALONE, BEST_EFFORT, CGROUP, UID, Trees, kill_below, kill_uid
from jsupervisor.initproto import Json, Message

GROUPS = cgroups.find()
SEALED: Message = {"seccomp": "x86_64", "uids": "one for each module"}
LONGEST = 30
InChild = Callable[[Callable[[], object]], object]


def process(role: str = "", executable: str = "rpd", **more: Json) -> Process:
    """A module, as init knows it."""
    confinement: Json = {"role": role, "uid": 70001, "groups": [70000]}
    order: Message = {"executable": executable, "confinement": confinement, **more}
    return Process("rpd", 1, order, "full", frozenset({"rpd"}))


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """On a machine without cgroups."""
    return Trees(str(tmp_path), groups=Groups(why="none"))


def test_a_sealed_module_has_nothing_to_leave_behind(trees: Trees) -> None:
    trees.learn(SEALED)

    assert ALONE == trees.way(process())


def test_without_filters_the_uid_tells_whose_a_process_is(trees: Trees) -> None:
    trees.learn({**SEALED, "seccomp": "no: none"})

    assert (UID, UID) == (trees.way(process()), trees.kind)


def test_who_may_start_processes_is_known_by_its_uid(trees: Trees) -> None:
    trees.learn(SEALED)

    assert [UID, UID] == [trees.way(process(role)) for role in ("none", "worker")]


def test_without_uids_and_groups_it_is_best_effort(trees: Trees) -> None:
    trees.learn({"seccomp": "x86_64", "uids": "no: not root"})

    assert (BEST_EFFORT, BEST_EFFORT) == (trees.way(process("none")), trees.kind)
    assert BEST_EFFORT == trees.way(process(confinement={}))


def test_nothing_is_known_before_the_launcher_has_spoken(trees: Trees) -> None:
    assert BEST_EFFORT == trees.way(process())


@pytest.mark.skipif(not GROUPS.kills, reason=GROUPS.why)
def test_a_module_in_a_group_ends_with_the_group(tmp_path: Path) -> None:
    run_dir = tmp_path / f"tree{os.getpid()}"
    run_dir.mkdir()
    trees = Trees(str(run_dir), groups=GROUPS)
    trees.learn(SEALED)
    folder = cgroups.make(GROUPS, run_dir.name, "rpd", GroupLimits())
    pid = cgroups.fork_into(folder)
    if pid == 0:
        signal.pause()
        os._exit(0)
    way = trees.way(process("none"))
    trees.ended(process("none"))
    status = os.waitpid(pid, 0)[1]

    assert (CGROUP, CGROUP, signal.SIGKILL) == (trees.kind, way, os.WTERMSIG(status))
    assert cgroups.remove_noted(str(run_dir))


# -- strays ---------------------------------------------------------------------------------------


def orphan(name: str = "stray", depth: int = 1) -> int:
    """A process whose parent is dead, with a line of descendants; the pid of the last one."""
    ours, theirs = os.pipe()
    between = os.fork()
    if between == 0:
        signal.alarm(LONGEST)  # no failure of a test leaves it behind for ever
        for level in range(depth + 1):
            if os.fork():
                if level:
                    signal.pause()
                os._exit(0)
            signal.alarm(LONGEST)
            os.setsid()
            linux.set_process_name(name)
        os.write(theirs, str(os.getpid()).encode())
        os.close(theirs)
        os.close(ours)
        signal.pause()
        os._exit(0)
    os.close(theirs)
    pid = int(os.read(ours, 20))
    os.waitpid(between, 0)
    os.close(ours)
    return pid


def swept(name: str = "stray", depth: int = 1, reserved_ns: int = 0) -> Callable[[], object]:
    """Is an orphan gone after sweeping as init does, at once and after each death?"""

    def run() -> object:
        linux.become_subreaper()
        trees = Trees("/nowhere/run", groups=Groups())
        pid = orphan(name, depth)
        known = process()
        known.reserved_ns = reserved_ns
        known.phase = Phase.RESERVED if reserved_ns else Phase.GONE
        trees.sweep((), [known])
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    stat = linux.process_stat(pid)
                    if not linux.own_children() or (stat and stat.state == "S" and spared):
                        break
                    time.sleep(0.001)
                    continue
            except ChildProcessError:
                break
            trees.sweep((), [known])
        gone = linux.process_stat(pid) is None
        kill_below(os.getpid())
        return gone

    spared = bool(reserved_ns) or name.startswith("jlauncher")
    return run


@pytest.fixture(autouse=True)
def notes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nowhere to note groups, in tests about other things."""
    real = cgroups.note
    monkeypatch.setattr(
        cgroups,
        "note",
        lambda run_dir, groups, key: (
            None if run_dir == "/nowhere/run" else real(run_dir, groups, key)
        ),
    )
    yield


@pytest.mark.parametrize("depth", [1, 4])
def test_a_stray_goes_with_all_below_it(in_child: InChild, depth: int) -> None:
    assert in_child(swept(depth=depth))


def test_a_stray_that_is_older_than_a_reservation_goes(in_child: InChild) -> None:
    assert in_child(swept(reserved_ns=time.monotonic_ns() + 3600 * 10**9)) is True


def test_who_began_since_a_place_was_reserved_may_be_the_newborn(in_child: InChild) -> None:
    assert in_child(swept(reserved_ns=time.monotonic_ns())) is False


def test_who_turns_out_to_be_no_newborn_is_found_when_the_place_is_taken(in_child: InChild) -> None:
    def run() -> object:
        linux.become_subreaper()
        trees = Trees("/nowhere/run", groups=Groups())
        successor = process()
        successor.reserved_ns = time.monotonic_ns()
        successor.phase = Phase.RESERVED
        orphan()
        trees.sweep((), [successor])
        early = trees.settled([successor])
        successor.phase = Phase.RUNNING
        settled = trees.settled([successor])
        trees.sweep((), [successor])
        while linux.own_children():
            os.waitpid(-1, 0)
        return [early, settled, trees.settled([successor])]

    assert in_child(run) == [False, True, False]


def test_a_newborn_that_has_not_its_name_yet_is_spared(in_child: InChild) -> None:
    assert in_child(swept(name="jlauncher-full")) is False


def test_a_known_child_is_no_stray(in_child: InChild) -> None:
    def run() -> object:
        pid = os.fork()
        if pid == 0:
            signal.pause()
            os._exit(0)
        Trees("/nowhere/run", groups=Groups()).sweep({pid}, ())
        alive = os.waitpid(pid, os.WNOHANG) == (0, 0)
        os.kill(pid, signal.SIGKILL)
        return alive

    assert in_child(run)


def test_descendants_are_killed_and_the_process_itself_is_not(in_child: InChild) -> None:
    def run() -> object:
        linux.become_subreaper()
        pid = orphan(depth=3)
        (top,) = linux.own_children()
        kill_below(top)
        stat = linux.process_stat(top)
        while (below := linux.process_stat(pid)) is not None and below.state != "Z":
            time.sleep(0.001)
        kill_below(os.getpid())
        return stat is not None and stat.state

    assert in_child(run) in ("S", "R")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.root
def test_everybody_of_a_uid_is_killed_and_nobody_else() -> None:
    def start(uid: int) -> int:
        pid = os.fork()
        if pid == 0:
            os.setresuid(uid, uid, uid)
            signal.pause()
            os._exit(0)
        while os.stat(f"/proc/{pid}").st_uid != uid:
            time.sleep(0.001)
        return pid

    victims, other = [start(70901) for _ in range(3)], start(70902)
    kill_uid(70901)
    ends = [os.WTERMSIG(os.waitpid(pid, 0)[1]) for pid in victims]
    spared = os.waitpid(other, os.WNOHANG) == (0, 0)
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)

    assert ([signal.SIGKILL] * 3, True) == (ends, spared)

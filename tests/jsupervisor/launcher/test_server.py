"""The launcher under a real init: SIGKILL at every step, never a duplicate, never an orphan."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from jsupervisor.linux import process_stat
from jsupervisor.observer.processes import alive

pytestmark = pytest.mark.system

Rig = Callable[..., Any]
TIMEOUT = 15.0

# The real launcher; its modules only report what they find. At one step, once, somebody is killed.
LAUNCHER = """
import json, os, signal, sys, time
from jsupervisor.launcher import child, server
from jsupervisor.launcher.__main__ import main

setup, step, victim, once, findings = sys.argv[1:6]

def strike(name):
    if name != step:
        return
    try:
        os.unlink(once)
    except FileNotFoundError:
        return
    match victim:
        case "self":
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleeper":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "init":
            os.kill(INIT, signal.SIGKILL)
        case "launcher":
            os.kill(LAUNCHER, signal.SIGKILL)
            while LAUNCHER == os.getpid():
                time.sleep(1)

def striking(name):
    function = getattr(child, name)
    def struck(*arguments):
        strike(name)
        return function(*arguments)
    setattr(child, name, struck)

class Os:
    forks = 0
    def __getattr__(self, name):
        return getattr(os, name)
    def fork(self):
        if self.forks == 0:
            global LAUNCHER
            LAUNCHER = os.getpid()
        strike("first-fork" if self.forks == 0 else "second-fork")
        self.forks += 1
        pid = os.fork()
        if pid:
            self.forks -= 1
        elif self.forks == 1:
            strike("between")
        return pid

def run(order, connection):
    strike("granted")
    from ctypes import CDLL, byref, c_int
    death = c_int()
    CDLL(None).prctl(2, byref(death))
    with open(findings, "w") as file:
        json.dump({
            "fds": sorted(int(fd) for fd in os.listdir("/proc/self/fd")),
            "listing": file.fileno() + 1,
            "file": file.fileno(),
            "connection": connection.fileno(),
            "death": death.value,
            "session": os.getsid(0) == os.getpid(),
            "defaults": [signal.getsignal(n) == signal.SIG_DFL for n in (2, 15, 17, 1)],
            "stderr": os.readlink("/proc/self/fd/2"),
            "stdin": os.readlink("/proc/self/fd/0"),
            "umask": os.umask(0o077),
            "modules": sorted(sys.modules),
        }, file)
    connection.send({"op": "report", "stage": "ready", "monotonic_ns": time.monotonic_ns()})
    while connection.receive() is not None:
        pass
    return 0

INIT = os.getppid()
child.os = Os()
for name in ("be_module", "forget_launcher", "close_inherited", "await_parent", "claim"):
    striking(name)
server.runner_of = lambda stage: run
child.leave(main(setup))
"""


CLAIM_NS = {"": 5 * 10**9, "self": 10**9, "sleeper": 10**9, "launcher": 5 * 10**9, "init": 10**9}


def start(rig: Rig, step: str = "", victim: str = "", **more: Any) -> tuple[Any, Any]:
    """An init with the launcher above, and its jlaunchd; the full stage is ready."""
    patch = f"import jsupervisor.init.table as t; t.CLAIM_TIMEOUT_NS = {CLAIM_NS[victim]}"
    init = rig(patch=patch, launcher_program=(LAUNCHER, step, victim), **more)
    jlaunchd = init.puppet("jlaunchd")
    jlaunchd.hello()
    jlaunchd.say("adopted")
    await_full(init, jlaunchd)
    return init, jlaunchd


def await_full(init: Any, jlaunchd: Any, times: int = 1) -> None:
    """A full stage has said hello; so often since the last time that `heard` was emptied."""
    while True:
        records = [m["record"] for m in jlaunchd.heard if m["op"] == "event"]
        if times <= sum((r["name"], r["event"]) == ("launcher", "ready") for r in records):
            return
        jlaunchd.heard.append(jlaunchd.hear())


def order(init: Any, incarnation: int) -> dict[str, Any]:
    """What the launcher is told."""
    return {"name": "rpd", "incarnation": incarnation, "home": str(init.home)}


def reserve(init: Any, jlaunchd: Any, stage: str, incarnation: int) -> None:
    """Have rpd started."""
    fields = {"order": order(init, incarnation), "record": None, "stage": stage}
    jlaunchd.say("start", name="rpd", incarnation=incarnation, **fields)


def bring_up(init: Any, jlaunchd: Any, stage: str) -> int:
    """As jlaunchd does: start it until an incarnation is ready, which is returned."""
    incarnation = 1
    reserve(init, jlaunchd, stage, incarnation)
    while True:
        message = jlaunchd.expect_any("expired", "exit", "report")
        if message["op"] == "report":
            return incarnation
        incarnation += 1
        reserve(init, jlaunchd, stage, incarnation)


def await_one(init: Any, name: str) -> None:
    """Exactly one process of this name is left, and it stays one."""
    deadline = time.monotonic() + TIMEOUT
    while len(init.named(name)) != 1:
        assert time.monotonic() < deadline, init.named(name)
        time.sleep(0.005)


STEPS = (
    "first-fork",
    "between",
    "second-fork",
    "be_module",
    "forget_launcher",
    "close_inherited",
    "await_parent",
    "claim",
    "granted",
)


@pytest.mark.parametrize(
    ("step", "stage"), [*((step, "full") for step in STEPS[1:]), ("between", "lean")]
)
def test_a_newborn_killed_at_any_step_is_replaced(rig: Rig, step: str, stage: str) -> None:
    init, jlaunchd = start(rig, step, "self")

    assert 2 == bring_up(init, jlaunchd, stage)
    await_one(init, "rpd")


@pytest.mark.parametrize("stage", ["lean", "full"])
@pytest.mark.parametrize("step", STEPS)
def test_a_launcher_killed_at_any_step_makes_no_duplicate(rig: Rig, step: str, stage: str) -> None:
    init, jlaunchd = start(rig, step, "launcher")

    assert 1 == bring_up(init, jlaunchd, stage)
    await_full(init, jlaunchd, times=2)
    await_one(init, "rpd")
    await_one(init, "jlauncher-full")
    assert 1 == init.status()["processes"][0]["incarnation"]


@pytest.mark.parametrize("step", STEPS)
def test_a_newborn_never_outlives_an_init_killed_at_any_step(rig: Rig, step: str) -> None:
    init, jlaunchd = start(rig, step, "init")
    reserve(init, jlaunchd, "full", 1)

    assert -signal.SIGKILL == init.process.wait(TIMEOUT)
    assert [] == init.close()


def test_a_stale_claimant_is_refused_and_leaves(rig: Rig) -> None:
    init, jlaunchd = start(rig, "claim", "sleeper")

    assert 2 == bring_up(init, jlaunchd, "full")
    rpd = init.named("rpd")
    unclaimed = [
        process
        for process in init.named("jlauncher-full")
        if (stat := process_stat(process.pid)) is not None and stat.parent == init.process.pid
    ]
    assert (1, 1) == (len(rpd), len(unclaimed))
    os.kill(unclaimed[0].pid, signal.SIGCONT)
    await_one(init, "jlauncher-full")
    assert rpd == init.named("rpd")


def test_a_module_is_born_with_nothing_of_the_launchers(rig: Rig) -> None:
    init, jlaunchd = start(rig)
    bring_up(init, jlaunchd, "full")
    found = json.loads((init.folder / "findings").read_text())

    given = {0, 1, 2, found["connection"], found["file"], found["listing"]}
    assert given == set(found["fds"])
    assert signal.SIGKILL == found["death"]
    assert (True, [True] * 4, 0o077) == (found["session"], found["defaults"], found["umask"])
    assert str(init.home / "log" / "rpd.stderr") == found["stderr"]
    assert "/dev/null" == found["stdin"]


def test_a_lean_module_has_nothing_of_the_full_stage(rig: Rig) -> None:
    init, jlaunchd = start(rig, full_imports=["sqlite3"], lean_imports=["uuid"])
    bring_up(init, jlaunchd, "lean")
    modules = json.loads((init.folder / "findings").read_text())["modules"]

    assert "uuid" in modules
    assert not {"grpc", "trio", "sqlite3"} & set(modules)


def test_a_full_module_has_everything_imported(rig: Rig) -> None:
    init, jlaunchd = start(rig, full_imports=["sqlite3"], lean_imports=["uuid"])
    bring_up(init, jlaunchd, "full")
    modules = json.loads((init.folder / "findings").read_text())["modules"]

    assert {"uuid", "sqlite3"} <= set(modules)


def test_the_full_stage_dies_with_the_lean_one_and_modules_live_on(rig: Rig) -> None:
    init, jlaunchd = start(rig)
    bring_up(init, jlaunchd, "full")
    rpd, full = init.named("rpd"), init.named("jlauncher-full")
    jlaunchd.heard.clear()
    init.ask("inject", name="launcher", kind="kill")
    await_full(init, jlaunchd)

    assert [False] == [alive(process) for process in full]
    assert rpd == init.named("rpd")
    assert 2 == init.status()["launcher"]["incarnation"]


def test_a_full_stage_that_is_killed_is_forked_again(rig: Rig) -> None:
    init, jlaunchd = start(rig)
    before = init.status()["launcher"]
    full = init.named("jlauncher-full")
    jlaunchd.heard.clear()
    init.ask("inject", name="launcher-full", kind="kill")
    await_full(init, jlaunchd)

    assert before == init.status()["launcher"]
    assert full != init.named("jlauncher-full")
    assert 1 == bring_up(init, jlaunchd, "full")


@pytest.mark.parametrize("victim", ["launcher", "launcher-full"])
@pytest.mark.parametrize("kind", ["exit:3", "exception", "stop", "spin"])
def test_whatever_befalls_a_launcher_the_next_one_works(rig: Rig, victim: str, kind: str) -> None:
    init, jlaunchd = start(rig)
    jlaunchd.heard.clear()
    init.ask("inject", name=victim, kind=kind)
    await_full(init, jlaunchd)

    assert 1 == bring_up(init, jlaunchd, "full")


def test_a_stage_whose_imports_fail_says_why(rig: Rig) -> None:
    init = rig(launcher_program=(LAUNCHER, "", ""), full_imports=["no_such_module"])
    path = init.home / "log" / "launcher.stderr"
    deadline = time.monotonic() + TIMEOUT
    while not path.exists() or "No module named 'no_such_module'" not in path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)

    assert init.status()["launcher"]["incarnation"] == 1

"""Children forked ahead: init's own, whoever forked them, and there whatever becomes of the forker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jsupervisor.init.nursery import NAME, POOL
from jsupervisor.linux import process_stat
from jsupervisor.observer.processes import ProcessId, alive

pytestmark = pytest.mark.system

Rig = Callable[..., Any]
SPEC = {
    "readiness": "none",
    "env": {},
    "cwd": "/",
    "user": "",
    "limits": {},
    "command": ["sleep", "999"],
}


class House:
    """An init with a supervisor that is a puppet."""

    def __init__(self, init: Any) -> None:
        self.init = init
        self.jlaunchd, _ = init.staff()
        self.started = 0

    def start(self, count: int = 1) -> list[int]:
        """So many programs more; their pids when all are ready."""
        names = [f"p{self.started + place}" for place in range(count)]
        self.started += count
        for name in names:
            foreign = {**SPEC, "log": str(Path(self.init.folder) / "log")}
            order = {"instance": "rig", "name": name, "executable": name, "foreign": foreign}
            self.jlaunchd.say(
                "start", name=name, incarnation=1, stage="foreign", order=order, record=None
            )
        return [self.jlaunchd.expect("report")["process"]["pid"] for _ in names]

    def calm(self) -> list[ProcessId]:
        """The children that wait, once there are as many as there are to be."""
        deadline = time.monotonic() + 20.0
        while len(found := self.init.named("jinit-unborn")) < POOL:
            assert time.monotonic() < deadline, self.init.stderr()
            time.sleep(0.005)
        return list(found)

    @property
    def forker(self) -> int:
        """Its pid."""
        (found,) = self.init.named(NAME)
        pid: int = found.pid
        return pid


@pytest.fixture
def house(rig: Rig) -> House:
    """A real init."""
    return House(rig())


def test_programs_and_those_who_wait_are_inits_own_children(house: House) -> None:
    pids = house.start(12)
    waiting = [each.pid for each in house.calm()]
    parents = {stat.parent for pid in (*pids, *waiting) if (stat := process_stat(pid))}

    assert {house.init.process.pid} == parents
    assert 12 == len(set(pids))


def test_the_forker_holds_nothing_of_inits(house: House) -> None:
    house.start()
    house.calm()

    assert 4 == len(os.listdir(f"/proc/{house.forker}/fd"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_forker_that_is_lost_costs_nobody_a_start(house: House, number: int) -> None:
    first = house.start()
    house.calm()
    old = house.forker
    os.kill(old, number)
    pids = house.start(3 * POOL)
    house.calm()

    assert 3 * POOL == len({*pids} - {*first})
    assert house.forker != old


def test_those_who_wait_may_die(house: House) -> None:
    house.start()
    waiting = house.calm()
    os.kill(house.init.process.pid, signal.SIGSTOP)
    for each in waiting:
        os.kill(each.pid, signal.SIGKILL)
        while alive(each):
            time.sleep(0.002)
    os.kill(house.init.process.pid, signal.SIGCONT)
    pids = house.start(2 * POOL)

    assert 2 * POOL == len(set(pids))


def test_where_no_sibling_can_be_forked_init_forks(rig: Rig) -> None:
    patch = (
        "import jsupervisor.containment.cgroups as c; real = c.fork_into\n"
        "def fork_into(folder, *, sibling=False):\n"
        "    if sibling: raise OSError(38, 'Function not implemented')\n"
        "    return real(folder)\n"
        "c.fork_into = fork_into"
    )
    house = House(rig(patch=patch))
    pids = house.start(5)
    parents = {stat.parent for pid in pids if (stat := process_stat(pid))}

    assert {house.init.process.pid} == parents
    assert "cannot fork ahead: [Errno 38] Function not implemented" in house.init.stderr()
    assert [] == house.init.named(NAME)


def test_a_program_that_was_asked_for_and_is_not_wanted_any_more_is_not_started(
    house: House,
) -> None:
    house.start()
    house.calm()
    os.kill(house.forker, signal.SIGSTOP)
    house.start(POOL)
    house.init.ask("stop")
    house.jlaunchd.say("finished")
    house.init.process.wait(20.0)

    assert [] == house.init.strays()

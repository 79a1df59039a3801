"""Warm spares of a real router: they take over, and whatever is done to them, nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.boot import make_plan
from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.demo.runner import UNLIMITED
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.observer.processes import descendants
from jsupervisor.observer.status import SpareStatus
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

SPARED = ("alarmd", "rpd", "pfe0")
TIMEOUT = 30.0
ROUNDS = int(os.environ.get("JSUP_STORM_ROUNDS", "4"))


def plan() -> Plan:
    """A vmx that gives up nobody, with a spare for three kinds of modules."""
    vmx = make_plan("vmx")
    return replace(
        vmx,
        programs=tuple(
            replace(each, policy=UNLIMITED, spare=each.name in SPARED) for each in vmx.programs
        ),
    )


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with Router.boot(plan=plan(), config=lab.config(Inputs())) as booted:
        yield booted


def spare_of(router: Router, name: str, other_than: int = 0) -> SpareStatus:
    """The module's spare, once it waits."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        for spare in router.status().spares:
            if spare.name == name and spare.state == "waiting" and spare.pid != other_than:
                return spare
        assert time.monotonic() < deadline, router.status()
        time.sleep(0.02)


def kill(pid: int | None, number: int = signal.SIGKILL) -> None:
    """Send a signal to whoever is still there."""
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def counted(router: Router) -> Counter[str]:
    """How many processes carry each module's name."""
    names: Counter[str] = Counter()
    for process in descendants(router.init.pid):
        with suppress(OSError):
            names[Path(f"/proc/{process.pid}/comm").read_text().strip()] += 1
    modules = [program.name for program in router.plan.programs]
    return Counter({name: names[name] for name in modules})


def wait_complete(router: Router) -> None:
    """Every module up, and each once."""
    deadline = time.monotonic() + TIMEOUT
    wanted = Counter({program.name: 1 for program in router.plan.programs})
    while True:
        with suppress(Exception):
            router.wait_ready(1)
        if (found := counted(router)) == wanted and router.status().all_up:
            return
        assert time.monotonic() < deadline, (found, router.status())


@pytest.mark.parametrize("name", SPARED)
def test_the_successor_is_the_spare(router: Router, name: str) -> None:
    spare = spare_of(router, name)
    report = router.inject("kill", name)

    assert report.recovered
    assert (spare.pid, spare.incarnation) == (report.new_pid, report.new_incarnation)
    assert spare_of(router, name).incarnation == spare.incarnation + 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_without_a_spare_that_answers_the_launcher_forks(router: Router, number: int) -> None:
    spare = spare_of(router, "rpd")
    kill(spare.pid, number)
    report = router.inject("kill", "rpd")

    assert report.recovered
    assert spare.pid != report.new_pid
    wait_complete(router)


def test_a_spare_outlives_jlaunchd_and_is_used_by_the_next_one(router: Router) -> None:
    spare = spare_of(router, "rpd")
    mark = router.mark()
    kill(router.status().jlaunchd.pid)
    router.inject("kill", "rpd")
    router.wait_for(mark, "rpd", "ready")

    assert spare.pid == router.status().find("rpd").pid
    wait_complete(router)


def test_a_new_launcher_makes_new_spares(router: Router) -> None:
    spare = spare_of(router, "rpd")
    kill(router.status().launcher.pid)
    assert spare.pid is not None
    successor = spare_of(router, "rpd", other_than=spare.pid)

    assert successor.incarnation == spare.incarnation
    wait_complete(router)


def test_a_module_and_its_spare_may_die_at_any_moment(router: Router) -> None:
    draw = random.Random(7)
    for _ in range(ROUNDS * 2):
        spare = spare_of(router, "alarmd")
        first, second = router.status().find("alarmd").pid, spare.pid
        kill(first)
        time.sleep(draw.uniform(0.0, 0.015))
        kill(second)
        wait_complete(router)


@pytest.mark.parametrize("everything", [False, True], ids=["modules", "supervision too"])
def test_a_storm_loses_nothing_and_doubles_nothing(router: Router, everything: bool) -> None:
    draw = random.Random(11)
    for number in range(ROUNDS):
        if number % 2:
            spare_of(router, "rpd")
        status = router.status()
        victims = [module.pid for module in status.modules]
        if everything:
            victims += [status.jlaunchd.pid, status.launcher.pid]
        draw.shuffle(victims)
        for victim in victims:
            kill(victim)
        wait_complete(router)


def test_a_stop_leaves_no_spare_behind() -> None:
    with Router.boot(plan=plan()) as router:
        spare_of(router, "rpd")
        everything = router.everything()
        router.stop()

        assert everything
        router.check_leftovers()

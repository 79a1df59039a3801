"""What fails is restarted also while nobody supervises: by init, by an order given in advance."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from jsupervisor.boot import make_programs_plan
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.observer.operator import Operator
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

NAMES = ("one", "two")
TIMEOUT = 20.0


def modules() -> Plan:
    """Two modules."""
    entry = 'entry = "jsupervisor.runtime.daemon:Daemon"'
    text = "".join(f"[program.{name}]\n{entry}\n" for name in NAMES)
    return parse_plan(f'[profile]\nname = "standing"\n{text}', "standing.toml")


def programs(folder: str) -> Plan:
    """Two programs that are not ours."""
    text = "".join(f'[program.{name}]\ncommand = ["sleep", "999"]\n' for name in NAMES)
    path = os.path.join(folder, "programs.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return make_programs_plan(path)


@pytest.fixture(params=["modules", "programs"])
def router(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Router]:
    """Nobody takes a stopped jlaunchd for hung here."""
    folder = tmp_path_factory.mktemp("standing")
    plan = modules() if request.param == "modules" else programs(str(folder))
    with Router.boot(plan=replace(plan, heartbeats=False)) as booted:
        yield booted


def await_successor(router: Router, name: str, pid: int | None) -> int:
    """Until another process is `name`; its pid."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = router.status().find(name).pid
        if found not in (None, pid):
            assert found is not None
            return found
        time.sleep(0.005)
    raise AssertionError(f"{name} has no successor")


def life_of(router: Router, name: str, mark: int) -> list[tuple[str, int]]:
    """What happened to it, in order."""
    return [(e.event, e.incarnation) for e in router.events(mark) if e.name == name]


def test_who_fails_while_jlaunchd_is_stopped_is_restarted_at_once_and_counted_later(
    router: Router,
) -> None:
    mark = router.mark()
    status = router.status()
    jlaunchd, first = status.jlaunchd, status.find("one").pid
    assert jlaunchd.pid is not None
    os.kill(jlaunchd.pid, signal.SIGSTOP)
    try:
        with Operator(router.instance) as operator:
            operator.inject("one", "kill")
        second = await_successor(router, "one", first)
        still = router.status().jlaunchd
    finally:
        os.kill(jlaunchd.pid, signal.SIGCONT)
    router.wait_for(mark, "one", "ready")
    known = router.status().find("one")

    assert jlaunchd == still
    assert (second, "up", 1) == (known.pid, known.state, known.restarts)
    life = [each for each in life_of(router, "one", mark) if each[0] not in ("fault", "serving")]
    assert [("exit", 1), ("start", 2), ("ready", 2)] == life


def test_who_fails_between_two_jlaunchds_is_adopted_with_its_past(router: Router) -> None:
    for round_ in range(1, 4):
        mark = router.mark()
        with Operator(router.instance) as operator:
            pid = operator.status().jlaunchd.pid
            assert pid is not None
            os.kill(pid, signal.SIGSTOP)
            first = operator.status().find("one").pid
            operator.inject("one", "kill")
            await_successor(router, "one", first)
            os.kill(pid, signal.SIGKILL)
        router.wait_for(mark, "jlaunchd", "ready")
        ready = router.wait_for(mark, "one", "ready")
        known = router.status().find("one")

        assert (round_ + 1, round_) == (ready.incarnation, known.restarts)
        assert ready.downtime_ms is not None
        life = life_of(router, "one", mark)
        assert [("exit", round_)] == [each for each in life if each[0] == "exit"]
    assert 0 == router.status().find("two").restarts


def test_an_order_holds_once_and_the_next_failure_waits_for_a_supervisor(router: Router) -> None:
    mark = router.mark()
    with Operator(router.instance) as operator:
        status = operator.status()
        assert status.jlaunchd.pid is not None
        os.kill(status.jlaunchd.pid, signal.SIGSTOP)
        try:
            operator.inject("one", "kill")
            second = await_successor(router, "one", status.find("one").pid)
            os.kill(second, signal.SIGKILL)
            while operator.status().find("one").pid is not None:
                time.sleep(0.005)
        finally:
            os.kill(status.jlaunchd.pid, signal.SIGCONT)
    third = await_successor(router, "one", second)
    router.wait_ready()
    exits = [each for each in life_of(router, "one", mark) if each[0] == "exit"]

    assert [("exit", 1), ("exit", 2)] == exits
    assert third == router.status().find("one").pid
    assert 2 == router.status().find("one").restarts


def test_who_is_stopped_stays_down(router: Router) -> None:
    mark = router.mark()
    router.down("one")
    router.wait_for(mark, "one", "exit")
    router.inject("kill", "two")
    router.wait_for(mark, "two", "ready")

    assert ("down", None) == (router.status().find("one").state, router.status().find("one").pid)

"""jlaunchd may be killed at any time: the next one adopts every module, and none twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jsupervisor.boot import Booted, boot
from jsupervisor.jlaunchd.plan import Plan, with_policy
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.observer.processes import ProcessId, alive, descendants

pytestmark = pytest.mark.system

KILLS = 100
MODULES = ("one", "two", "three", "four", "five")
TIMEOUT = 20.0


def trivial_plan() -> Plan:
    """Five daemons that do nothing but live; one is started by exec."""
    programs = [
        f'[program.{name}]\nentry = "jsupervisor.runtime.daemon:Daemon"\n' for name in MODULES
    ]
    text = '[profile]\nname = "trivial"\n' + "".join(programs) + 'launch = "exec"\n'
    return with_policy(parse_plan(text, "trivial.toml"), "never-give-up")


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Booted]:
    """An instance with all its modules up; nothing of it is left afterwards."""
    booted = boot(trivial_plan(), name="adoption", home=tmp_path)
    family: list[ProcessId] = []
    try:
        wait_for_init(booted)
        wait_until_settled(booted)
        family = descendants(booted.process.pid)
        yield booted
        family += descendants(booted.process.pid)
    finally:
        booted.let_go()
        code = booted.process.wait(TIMEOUT)

    assert 0 == code
    assert [] == [process for process in family if alive(process)]
    assert not booted.instance.run_dir.exists()


def wait_for_init(booted: Booted) -> None:
    """init's socket appears when it can be connected to."""
    deadline = time.monotonic() + TIMEOUT
    while not booted.instance.init_socket.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def running_names(booted: Booted) -> Counter[str]:
    """How many processes carry each module's name, as the kernel shows it."""
    names: Counter[str] = Counter()
    for process in descendants(booted.process.pid):
        try:
            names[Path(f"/proc/{process.pid}/comm").read_text().strip()] += 1
        except OSError:
            pass
    return Counter({name: names[name] for name in MODULES})


def wait_until_settled(booted: Booted) -> None:
    """Every module up, and jlaunchd there to say so."""
    with Watcher(booted.instance) as watcher, Operator(booted.instance) as operator:
        settled = watcher.wait(
            lambda _: (status := operator.status()).all_up and status.jlaunchd.pid is not None,
            TIMEOUT,
        )
        assert settled, "\n".join(
            map(str, (operator.status().jlaunchd, *operator.status().modules))
        )


def test_after_each_of_a_hundred_deaths_of_jlaunchd_nothing_is_lost_or_doubled(
    router: Booted,
) -> None:
    chance = random.Random(20261123)
    with Watcher(router.instance) as watcher, Operator(router.instance) as operator:
        for _ in range(KILLS):
            mark = watcher.mark()
            victims = chance.sample(MODULES, chance.randint(0, 2))
            for victim in victims:
                try:
                    operator.inject(victim, "kill")
                except OperatorError:
                    continue  # dead already, by an earlier round
            # Somewhere between the death and the successor's readiness: each step gets its turn.
            time.sleep(chance.uniform(0.0, 0.03))
            operator.inject("jlaunchd", "kill")
            watcher.wait_for(mark, "jlaunchd", "ready", timeout=TIMEOUT)

            assert max(running_names(router).values()) <= 1
        wait_until_settled(router)

        assert dict.fromkeys(MODULES, 1) == dict(running_names(router))


def test_adoption_restarts_nothing(router: Booted) -> None:
    with Watcher(router.instance) as watcher, Operator(router.instance) as operator:
        before = {module.name: module.pid for module in operator.status().modules}
        mark = watcher.mark()
        operator.inject("jlaunchd", "kill")
        watcher.wait_for(mark, "jlaunchd", "ready", timeout=TIMEOUT)
        after = {module.name: module.pid for module in operator.status().modules}

        assert before == after


def test_a_module_that_died_while_jlaunchd_was_dead_is_restarted_by_the_next_one(
    router: Booted,
) -> None:
    with Watcher(router.instance) as watcher, Operator(router.instance) as operator:
        mark = watcher.mark()
        operator.inject("jlaunchd", "kill")
        operator.inject("two", "kill")
        ready = watcher.wait_for(mark, "two", "ready", timeout=TIMEOUT)

        assert 2 == ready.incarnation
        assert ready.downtime_ms is not None


def test_the_next_jlaunchd_still_counts_the_failures_of_its_predecessor(tmp_path: Path) -> None:
    plan = with_policy(trivial_plan(), "junos")
    booted = boot(plan, name="thrash", home=tmp_path)
    try:
        wait_for_init(booted)
        wait_until_settled(booted)
        with Watcher(booted.instance) as watcher, Operator(booted.instance) as operator:
            for _ in range(3):
                mark = watcher.mark()
                operator.inject("one", "kill")
                watcher.wait_for(mark, "one", "ready", timeout=TIMEOUT)
                operator.inject("jlaunchd", "kill")
                watcher.wait_for(mark, "jlaunchd", "ready", timeout=TIMEOUT)
            mark = watcher.mark()
            operator.inject("one", "kill")
            thrash = watcher.wait_for(mark, "one", "thrash", timeout=TIMEOUT)
            state = operator.status().find("one").state
    finally:
        booted.let_go()
        booted.process.wait(TIMEOUT)

    assert ("hold", "failed") == (thrash.next, state)

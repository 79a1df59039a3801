"""Groups, failovers, reloads and policies with real processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jsupervisor.jlaunchd.replan import resolve
from jsupervisor.observer.operator import Operator
from jsupervisor.testing import HarnessError, Router

pytestmark = pytest.mark.system

ENTRY = 'entry = "jsupervisor.runtime.daemon:Daemon"\n'
TEXT = f"""
[profile]
name = "strategies"
[program.alone]
{ENTRY}
[program.first]
{ENTRY}
[program.second]
{ENTRY}
[program.third]
{ENTRY}
[program.doomed]
{ENTRY}
policy = {{ intensity = 0, on_thrash = "other-routing-engine" }}
[program.follower]
{ENTRY}
requires = ["alone"]
follows = ["alone"]
[group.chain]
members = ["first", "second", "third"]
strategy = "rest_for_one"
intensity = 20
"""


@dataclass
class Bench:
    """A router, and the file that its plan comes from."""

    router: Router
    file: Path
    hooked: Path

    def pids(self) -> dict[str, int | None]:
        """By module."""
        return {module.name: module.pid for module in self.router.status().modules}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("strategies")
    hooked = folder / "hooked"
    hook = f'[hooks]\nother-routing-engine = ["/bin/sh", "-c", "echo $0 >{hooked}"]\n'
    file = folder / "profile.toml"
    file.write_text(TEXT + hook, encoding="utf-8")
    with Router.boot(plan=resolve(file)) as router:
        yield Bench(router, file, hooked)


def test_rest_for_one_restarts_the_later_ones_in_order_and_nobody_else(bench: Bench) -> None:
    before, mark = bench.pids(), bench.router.mark()
    bench.router.inject("segv", "second")
    bench.router.wait_for(mark, "third", "ready")

    after = bench.pids()
    assert {"second", "third"} == {name for name in after if after[name] != before[name]}
    told = [
        (event.name, event.event)
        for event in bench.router.events(mark)
        if event.event in ("exit", "start", "ready")
    ]
    assert [
        ("second", "exit"),
        ("third", "exit"),
        ("second", "start"),
        ("second", "ready"),
        ("third", "start"),
        ("third", "ready"),
    ] == told


def test_a_group_that_goes_down_is_finished_by_the_next_jlaunchd(bench: Bench) -> None:
    before, mark = bench.pids(), bench.router.mark()
    with Operator(bench.router.instance) as operator:
        operator.inject("first", "kill")
        operator.inject("jlaunchd", "kill")
    bench.router.wait_for(mark, "third", "ready")
    bench.router.wait_ready()

    after = bench.pids()
    assert {"first", "second", "third"} == {n for n in after if after[n] != before[n]}


def test_who_follows_restarts_with_the_one_it_follows(bench: Bench) -> None:
    before, mark = bench.pids(), bench.router.mark()
    bench.router.restart("alone")
    bench.router.wait_for(mark, "follower", "ready")

    after = bench.pids()
    assert {"alone", "follower"} == {name for name in after if after[name] != before[name]}


def test_beyond_its_intensity_a_module_fails_over_by_a_hook_and_is_held(bench: Bench) -> None:
    mark = bench.router.mark()
    with Operator(bench.router.instance) as operator:
        operator.inject("doomed", "kill")
    thrash = bench.router.wait_for(mark, "doomed", "thrash")
    log = bench.router.instance.log_dir / "jlaunchd.stderr"

    assert "other-routing-engine" == thrash.next
    bench.router.watcher.wait(
        lambda _: bench.hooked.exists() and bool(os.stat(bench.hooked).st_size), 10
    )
    assert "doomed\n" == bench.hooked.read_text(), log.read_text()
    mark = bench.router.mark()
    bench.router.up("doomed")
    bench.router.wait_for(mark, "doomed", "ready")


def test_a_policy_outlives_the_jlaunchd_that_was_told(bench: Bench) -> None:
    assert ["doomed"] == bench.router.set_policy("never-give-up", "doomed")
    mark = bench.router.mark()
    with Operator(bench.router.instance) as operator:
        operator.inject("jlaunchd", "kill")
    bench.router.wait_for(mark, "jlaunchd", "ready")

    assert "never-give-up" == bench.router.status().find("doomed").policy
    assert bench.router.inject("kill", "doomed").recovered


def test_a_reload_starts_and_stops_what_differs_and_leaves_the_rest(bench: Bench) -> None:
    old = bench.file.read_text(encoding="utf-8")
    before, mark = bench.pids(), bench.router.mark()
    new = old.replace("[program.follower]", f"[program.newcomer]\n{ENTRY}[program.other]")
    bench.file.write_text(new, encoding="utf-8")
    bench.router.reload()
    bench.router.wait_for(mark, "newcomer", "ready")
    bench.router.wait_for(mark, "follower", "exit")
    bench.router.wait_ready()

    after = bench.pids()
    assert {"newcomer", "other"} == set(after) - set(before)
    assert {"follower"} == set(before) - set(after)
    assert not [name for name in set(after) & set(before) if after[name] != before[name]]
    bench.file.write_text(old, encoding="utf-8")
    bench.router.reload()
    bench.router.wait_for(mark, "other", "exit")
    bench.router.wait_ready()


def test_operators_are_answered_in_parallel_while_a_module_crashes_in_a_loop(bench: Bench) -> None:
    bench.router.set_policy("never-give-up", "alone")
    problems: list[HarnessError] = []

    def ask() -> None:
        try:
            for _ in range(10):
                bench.router.set_policy("never-give-up", "doomed")
                bench.router.clear("doomed")
        except HarnessError as error:
            problems.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert bench.router.inject("kill", "alone").recovered
    for thread in threads:
        thread.join()

    assert [] == problems
    bench.router.wait_ready()

"""The demo finds what it is for: isolation where it is, and a coupling where one was planted."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jsupervisor.demo.rows import Row, Verdict, verdict
from jsupervisor.demo.runner import run_demo
from jsupervisor.jlaunchd.plan import Architecture
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.paths import instance

pytestmark = pytest.mark.system


@contextmanager
def coupling(home: Path, victim: str, other: str) -> Iterator[None]:
    """Kills `other` whenever `victim` ends: what a forgotten dependency would do."""
    stop = threading.Event()

    def watch() -> None:
        planted = instance("planted", home)
        while not stop.is_set():
            try:
                with Watcher(planted) as watcher, Operator(planted) as operator:
                    seen = 0
                    while not stop.is_set() and not watcher.ended:
                        watcher.wait_next(0.1)
                        for record in watcher.history.since(seen):
                            if (record.name, record.event) == (victim, "exit"):
                                pid = operator.status().find(other).pid
                                assert pid is not None
                                os.kill(pid, signal.SIGKILL)
                        seen = len(watcher.history)
            except OperatorError:
                stop.wait(0.005)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_modules_that_are_isolated_are_found_so(tmp_path: Path) -> None:
    shown: list[Row] = []
    result = run_demo(modules=["rpd", "alarmd"], home=tmp_path, on_row=shown.append)

    assert [
        ("rpd", "kill"),
        ("rpd", "stop"),
        ("alarmd", "kill"),
        ("alarmd", "stop"),
    ] == [(row.module, row.fault) for row in result.rows]
    assert list(result.rows) == shown
    assert [] == [row.problems for row in result.rows if row.failed]
    assert [] == [row.disturbances for row in result.rows if row.disturbed]
    assert Verdict.ISOLATED is verdict(result.rows)
    assert all(row.offered > 1000 for row in result.rows)
    assert [] == list(tmp_path.iterdir())


def test_a_planted_coupling_is_found(tmp_path: Path) -> None:
    with coupling(tmp_path, "alarmd", "eventd"):
        result = run_demo(modules=["alarmd", "dcd"], faults=["kill"], name="planted", home=tmp_path)
    alarmd, dcd = result.rows

    assert Verdict.DISTURBED is verdict(result.rows)
    assert (1, ("restarted: eventd",)) == (alarmd.others_restarted, alarmd.disturbances)
    assert 0 == dcd.others_restarted


@pytest.mark.parametrize("architecture", ["monolithic", "restart-all"])
def test_an_architecture_without_isolation_is_the_control(
    tmp_path: Path, architecture: Architecture
) -> None:
    result = run_demo(
        architecture=architecture, modules=["rpd"], faults=["kill"], rate=1000.0, home=tmp_path
    )

    assert Verdict.DISTURBED is verdict(result.rows)
    assert [7] == [row.others_restarted for row in result.rows]
    assert [None] != [row.ready_ms for row in result.rows]

"""Looks at a real instance, and at what is left of one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from jsupervisor.observer.events import EventRecord
from jsupervisor.paths import Instance
from jsupervisor.testing import Router
from jsupervisor.top.fakes import status
from jsupervisor.top.link import Link
from jsupervisor.top.source import Source, uses_of

pytestmark = pytest.mark.system


@pytest.fixture
def source(router: Router) -> Iterator[Source]:
    link = Link(router.instance)
    found = Source(router.instance, link)
    yield found
    found.close()
    link.close()


def test_a_look_has_everybodys_answer(source: Source, router: Router) -> None:
    source.look()
    look = source.look()
    names = {"init", "jlaunchd", "launcher", "rpd", "dcd"}

    assert look.status is not None
    assert look.counts is not None
    assert ("rpd", "dcd") == tuple(module.name for module in look.status.modules)
    assert names == set(look.uses) == set(look.counts)
    assert router.processes()["rpd"].pid == look.uses["rpd"].pid
    assert ("never-give-up", ["routing"], "") == (
        look.policy,
        [group.name for group in look.groups],
        look.trouble,
    )


def test_a_supervisor_that_stands_still_is_away_and_the_rest_is_there(
    source: Source, router: Router
) -> None:
    source.look()
    pid = router.processes()["jlaunchd"].pid
    mark = router.mark()
    os.kill(pid, signal.SIGSTOP)
    look = source.look()
    with suppress(ProcessLookupError):  # init may have found out by itself
        os.kill(pid, signal.SIGKILL)
    router.wait_for(mark, "jlaunchd", "ready")

    assert look.counts is None
    assert "cannot see the metrics: the supervisor is away" == look.trouble
    assert look.status is not None and look.status.all_up
    assert "rpd" in look.uses


def test_init_pushes_events_once(source: Source, router: Router) -> None:
    assert [] == list(source.pushed())
    mark = router.mark()
    router.restart("rpd")
    ready = router.wait_for(mark, "rpd", "ready")
    pushed: list[EventRecord] = []
    deadline = time.monotonic() + 15
    while ready not in pushed:  # init tells one watcher after the other
        assert time.monotonic() < deadline
        pushed += source.pushed()

    assert len(pushed) == len(set(pushed))
    assert [] == list(source.pushed())


def test_without_an_instance_there_is_nothing_but_a_reason(router: Router) -> None:
    nobody = Instance("none", router.instance.home, router.instance.run_dir / "none")
    source = Source(nobody, Link(nobody))
    look = source.look()

    assert (None, None, {}) == (look.status, look.counts, look.uses)
    assert look.trouble.startswith("cannot reach instance none: it is not running")
    assert [] == list(source.pushed())


def test_a_pid_that_nobody_has_uses_nothing() -> None:
    found = uses_of(status(jlaunchd=None))

    assert "jlaunchd" not in found

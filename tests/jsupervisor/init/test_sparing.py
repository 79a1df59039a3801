"""Warm spares against a real init: who may say what, and what is done to processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from jsupervisor.init.sparing import STOPPED
from jsupervisor.linux import process_stat

pytestmark = pytest.mark.system

Rig = Callable[..., Any]
ORDER = {"name": "rpd", "incarnation": 2}


def with_spare(rig: Rig) -> tuple[Any, Any, Any, Any, Any]:
    """An init whose rpd has a spare that waits: init, jlaunchd, launcher, module, spare."""
    init = rig()
    jlaunchd, launcher = init.staff()
    module = init.module(jlaunchd, launcher, "rpd")
    jlaunchd.say("spare", name="rpd", incarnation=2, stage="lean", order=ORDER)
    assert launcher.expect("fork")["order"] == {**ORDER, "spare": True}
    launcher.do("fork", role="module")
    spare = init.puppet("module")
    spare.say("announce", name="rpd", incarnation=2)
    spare.expect("welcome")
    spare.say("waiting")
    jlaunchd.expect("spare")
    assert "waiting" == jlaunchd.expect("spare")["state"]
    return init, jlaunchd, launcher, module, spare


def test_a_spare_takes_the_place_of_a_dead_module(rig: Rig) -> None:
    init, jlaunchd, _, module, spare = with_spare(rig)
    known = init.status()["spares"]
    os.kill(module.pid, signal.SIGKILL)
    jlaunchd.expect("exit")
    jlaunchd.say("start", name="rpd", incarnation=2, stage="lean", order=ORDER)
    spare.expect("become")
    spare.say("claim", name="rpd", incarnation=2)
    spare.expect("granted")

    assert [{"name": "rpd", "incarnation": 2, "state": "waiting", "pid": spare.pid}] == known
    assert spare.pid == jlaunchd.expect("claimed")["process"]["pid"]
    assert [] == init.status()["spares"]


def test_a_spare_may_do_nothing_but_wait(rig: Rig) -> None:
    _, _, _, _, spare = with_spare(rig)
    refused = []
    for op in ({"op": "report", "stage": "ready"}, {"op": "stop"}, {"op": "status"}):
        spare.say(**op)
        refused.append(spare.expect("refused")["why"])
    spare.say("claim", name="rpd", incarnation=2)
    refused.append(spare.expect("refused")["why"])
    spare.say("get", key="dcd/identity")
    refused.append(spare.expect("refused")["why"])

    assert refused == [
        "spare may not send 'report'",
        "spare may not send 'stop'",
        "spare may not send 'status'",
        "the spare of rpd was not called",
        "a spare of rpd may not have dcd/identity",
    ]


def test_a_stopped_spare_is_ended_and_the_launcher_asked(rig: Rig) -> None:
    init, jlaunchd, launcher, module, spare = with_spare(rig)
    os.kill(spare.pid, signal.SIGSTOP)
    while (stat := process_stat(spare.pid)) is not None and stat.state not in STOPPED:
        pass
    os.kill(module.pid, signal.SIGKILL)
    jlaunchd.expect("exit")
    jlaunchd.say("start", name="rpd", incarnation=2, stage="lean", order=ORDER)

    assert ORDER == launcher.expect("fork")["order"]
    assert "gone" == jlaunchd.expect("spare")["state"]
    spare.await_end()
    assert [] == init.status()["spares"]


def test_only_an_own_child_that_was_asked_for_is_a_spare(rig: Rig) -> None:
    init, _, launcher, _, _ = with_spare(rig)
    stranger = init.operator()
    answer = stranger.request({"op": "announce", "name": "rpd", "incarnation": 2})
    launcher.do("fork", role="module")
    second = init.puppet("module")
    second.say("announce", name="rpd", incarnation=2)

    assert "is not a child of init" in answer["why"]
    assert "nobody waits for a spare of rpd" in second.expect("refused")["why"]
    stranger.close()


def test_a_new_launcher_and_a_stop_end_spares(rig: Rig) -> None:
    init, jlaunchd, launcher, _, spare = with_spare(rig)
    os.kill(launcher.pid, signal.SIGKILL)
    init.puppet("launcher").say("hello", role="launcher")
    spare.await_end()

    assert "gone" == jlaunchd.expect("spare")["state"]
    jlaunchd.say("spare", name="rpd", incarnation=2, stage="lean", order=ORDER)
    assert "made" == jlaunchd.expect("spare")["state"]
    jlaunchd.say("dismiss", name="rpd")
    assert "gone" == jlaunchd.expect("spare")["state"]

"""Every fault takes effect on real processes, is detected, and is recovered from."""

from __future__ import annotations

import pytest

from jsupervisor.faults.injection import FaultError, inject
from jsupervisor.faults.registry import FAULTS, parse
from jsupervisor.observer.operator import OperatorError
from jsupervisor.observer.processes import ProcessId, alive
from jsupervisor.paths import instance
from jsupervisor.testing import Router

pytestmark = pytest.mark.system


@pytest.mark.parametrize("kind", [*FAULTS, "exit:17"])
def test_each_fault_takes_effect_on_a_module_and_on_nobody_else(router: Router, kind: str) -> None:
    before = router.processes()
    report = router.inject(kind, "rpd")
    after = router.processes()

    assert report.effective
    assert "" == report.why
    assert report.healthy
    assert report.detected_ms is not None
    assert report.serving_ms is not None
    assert report.ready_ms is not None
    assert report.detected_ms <= report.serving_ms <= report.ready_ms
    assert ("exit" if parse(kind).ends else "hang") == report.detected_by
    assert before["rpd"] == ProcessId(report.pid, report.start_time)
    assert after["rpd"].pid == report.new_pid
    assert {"rpd"} == {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("kind", ["kill", "stop"])
@pytest.mark.parametrize("name", ["jlaunchd", "launcher"])
def test_those_who_supervise_can_be_hit_too(router: Router, name: str, kind: str) -> None:
    before = router.processes()
    report = router.inject(kind, name)
    after = router.processes()

    assert "" == report.why
    assert report.effective
    assert {name} == {each for each in before if before[each] != after[each]}


def test_an_unknown_module_is_answered_with_those_there_are(router: Router) -> None:
    with pytest.raises(FaultError, match="there are init, jlaunchd, launcher, rpd, dcd"):
        inject(router.instance, "kill", "bgpd")


def test_an_unknown_kind_reaches_nobody(router: Router) -> None:
    with pytest.raises(ValueError, match="cannot inject 'explode'"):
        inject(router.instance, "explode", "rpd")


def test_an_instance_that_does_not_run_is_said_so(router: Router) -> None:
    with pytest.raises(OperatorError, match="cannot reach instance nobody: it is not running"):
        inject(instance("nobody", router.instance.home.parent), "kill", "rpd")


def test_a_successor_that_does_not_come_in_time_is_a_failure(router: Router) -> None:
    report = inject(router.instance, "stop", "dcd", timeout=0.1)
    router.wait_for(0, "dcd", "hang")
    router.wait_ready()

    assert report.effective
    assert not report.recovered
    assert "no ready successor within 0.1 s" == report.why
    assert report.lines()[-1] == "failed: no ready successor within 0.1 s"


def test_something_can_be_done_while_the_victim_is_dead(router: Router) -> None:
    with router.injection("stop", "dcd") as injection:
        injection.deliver()
        assert alive(injection.victim)
        assert injection.wait_detected()
        report = injection.finish()

    assert report.recovered


@pytest.mark.parametrize("kind", ["kill", "segv", "abort"])
def test_the_death_of_init_is_a_power_failure(doomed: Router, kind: str) -> None:
    everything = doomed.everything()
    report = doomed.inject(kind, "init")

    assert report.effective
    assert "" == report.why
    assert None is report.ready_ms
    assert not any(alive(process) for process in everything)

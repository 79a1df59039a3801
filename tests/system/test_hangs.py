"""Whoever hangs is found and replaced, however it hangs, and leaves a post-mortem that tells where."""

from __future__ import annotations

import os
import signal
import time

import pytest

from jsupervisor.faults.registry import FAULTS
from jsupervisor.observer.processes import identify
from jsupervisor.runtime.cores import Core, CoreError, cores, read_core
from jsupervisor.testing import Router

pytestmark = pytest.mark.system

HANGS = [kind for kind, fault in FAULTS.items() if not fault.ends]
DAEMON, ENGINE = "rpd", "pfe0"


def core_of(router: Router, module: str, incarnation: int) -> Core:
    """The post-mortem of one incarnation, as soon as it is there."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        for _, _, path in cores(router.instance.crash_dir, module):
            try:
                core = read_core(path)
            except CoreError:
                continue  # its place was taken by another one just now
            if core.incarnation == incarnation:
                return core
        time.sleep(0.02)
    raise AssertionError(f"{module} #{incarnation} left no core")


@pytest.mark.parametrize("module", [DAEMON, ENGINE])
@pytest.mark.parametrize("kind", HANGS)
def test_a_hang_of_each_kind_is_found_replaced_and_told(
    vmx: Router, kind: str, module: str
) -> None:
    if (kind, module) == ("block-pool", ENGINE):
        pytest.skip("an engine has no RPC threads")
    before = vmx.processes()
    report = vmx.inject(kind, module)
    core = core_of(vmx, module, report.incarnation)

    assert ("", True, "hang") == (report.why, report.effective, report.detected_by)
    assert {module} == {name for name, each in vmx.processes().items() if before[name] != each}
    assert (report.pid, "hang", "hang") == (core.pid, core.cause, core.ordered)
    # Threads that run while their stacks are read may turn the abort into another end.
    assert core.ended in ("signal:SIGABRT", "signal:SIGSEGV")
    assert core.trace.startswith("Stack (most recent call first):")
    assert "Fatal Python error: Aborted" in core.trace
    assert core.maxrss_kb and core.utime is not None


WHERE = {"spin": "carry_out", "spin-c": "carry_out", "deadlock": "carry_out", "stop": "get_events"}


@pytest.mark.parametrize("kind", list(WHERE))
def test_the_trace_of_a_hang_tells_where(vmx: Router, kind: str) -> None:
    report = vmx.inject(kind, "dcd")
    core = core_of(vmx, "dcd", report.incarnation)

    assert f"in {WHERE[kind]}" in core.trace.splitlines()[1]


@pytest.mark.parametrize("module", [DAEMON, ENGINE])
@pytest.mark.parametrize(
    ("kind", "cause", "words"),
    [
        ("segv", "signal:SIGSEGV", "Fatal Python error: Segmentation fault"),
        ("abort", "signal:SIGABRT", "Fatal Python error: Aborted"),
        ("exception", "exit:1", "InjectedException: an exception was injected"),
        ("exit:17", "exit:17", ""),
        ("kill", "signal:SIGKILL", ""),
    ],
)
def test_a_crash_of_each_kind_leaves_a_post_mortem(
    vmx: Router, module: str, kind: str, cause: str, words: str
) -> None:
    report = vmx.inject(kind, module)
    core = core_of(vmx, module, report.incarnation)

    assert (report.pid, cause, cause, "fault") == (core.pid, core.cause, core.ended, core.ordered)
    assert words in core.trace
    assert bool(words) is bool(core.trace)
    assert ("restart in 0 ms", True) == (core.next, core.recovered)
    assert core.downtime_ms is not None and report.ready_ms is not None
    assert core.downtime_ms <= report.ready_ms
    events = [each["event"] for each in core.events if each["incarnation"] == core.incarnation]
    assert ["ready", "fault", "exit"] == events[-3:]


def test_a_restart_that_was_asked_for_leaves_none(vmx: Router) -> None:
    before = {path: path.stat().st_mtime_ns for _, _, path in cores(vmx.instance.crash_dir)}
    vmx.restart("alarmd")
    report = vmx.inject("kill", "chassisd")  # what is told of later is examined later
    core_of(vmx, "chassisd", report.incarnation)

    after = {path: path.stat().st_mtime_ns for _, _, path in cores(vmx.instance.crash_dir)}
    changed = {path.name.partition(".")[0] for path in after if before.get(path) != after[path]}
    assert {"chassisd"} == changed


def test_the_traces_of_the_dead_are_gone_and_those_of_the_living_are_empty(vmx: Router) -> None:
    report = vmx.inject("segv", "mgd")
    core_of(vmx, "mgd", report.incarnation)
    deadline = time.monotonic() + 15
    living = {f".{m.name}.{m.incarnation}.trace" for m in vmx.status().modules}
    jlaunchd = {f".jlaunchd.{vmx.status().find('jlaunchd').incarnation}.trace"}
    while time.monotonic() < deadline:
        found = {path.name: path.stat().st_size for path in vmx.instance.crash_dir.glob(".*")}
        if set(found) == living | jlaunchd:
            break
        time.sleep(0.02)

    assert living | jlaunchd == set(found)
    assert {0} == set(found.values())


def test_no_post_mortem_is_lost_or_made_twice_when_jlaunchd_dies_before_it_is_written(
    vmx: Router,
) -> None:
    victims = {}
    for _ in range(3):
        module = vmx.status().find(DAEMON)
        assert module.pid is not None
        victims[module.incarnation] = module.pid
        keeper = vmx.status().find("jlaunchd")
        assert keeper.pid is not None
        process = identify(module.pid)
        os.kill(module.pid, signal.SIGSEGV)
        os.kill(keeper.pid, signal.SIGKILL)
        vmx.wait_ready()
        while identify(module.pid) == process:
            time.sleep(0.01)
        _wait_for_successor(vmx, module.incarnation)

    found = [core_of(vmx, DAEMON, incarnation) for incarnation in victims]
    assert list(victims.values()) == [core.pid for core in found]
    every = [read_core(path) for _, _, path in cores(vmx.instance.crash_dir, DAEMON)]
    assert len(every) == len({core.identity for core in every})


def _wait_for_successor(router: Router, incarnation: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        module = router.status().find(DAEMON)
        if module.incarnation > incarnation and module.state == "up":
            return
        time.sleep(0.02)
    raise AssertionError("no successor")

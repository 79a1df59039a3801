"""Starting an instance: everything is checked first, and a refused start leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.boot import Booted, BootError, boot, find_profile, make_plan, require_linux
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.planfile import read_plan
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.observer.operator import Operator, Watcher
from jsupervisor.paths import PathError, instance

TIMEOUT = 20.0


def one() -> Plan:
    """A plan of one daemon that does nothing."""
    return parse_plan(
        '[profile]\nname = "one"\n[program.one]\nentry = "jsupervisor.runtime.daemon:Daemon"\n',
        "one.toml",
    )


def await_ready(booted: Booted) -> None:
    """The one module has said ready."""
    while not booted.instance.init_socket.exists():
        assert booted.process.poll() is None
    with Watcher(booted.instance) as watcher:
        while not _is_up(watcher, booted):
            assert watcher.wait_next(TIMEOUT)


def _is_up(watcher: Watcher, booted: Booted) -> bool:
    with Operator(booted.instance) as operator:
        return operator.status().all_up


# -- checks ---------------------------------------------------------------------------------------


def test_an_address_for_metrics_is_checked_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"cannot listen on 'x': write ADDRESS:PORT"):
        make_plan("vmx", metrics="x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(BootError, match=f"cannot listen on {address}: Address already in use"):
            boot(replace(one(), metrics=address), home=tmp_path)

    assert address == make_plan("vmx", metrics=address).metrics
    assert [] == list(tmp_path.iterdir())


def test_a_profile_is_a_name_or_a_file() -> None:
    assert "vmx.toml" == find_profile("vmx").name
    assert Path("./mine.toml") == find_profile("./mine.toml")
    assert Path("mine.toml") == find_profile("mine.toml")
    with pytest.raises(
        PlanError, match=r"^cannot use profile 'vmy': there are .*vmx.*\.toml file$"
    ):
        find_profile("vmy")


def test_an_order_changes_the_profiles_plan() -> None:
    plan = make_plan("vmx", policy="erlang", ports={"ge-0/0/0": "tap:t0"})
    monolith = make_plan("vmx", architecture="monolithic")

    assert ("erlang", {"ge-0/0/0": "tap:t0"}) == (plan.policy, dict(plan.ports))
    assert 1 == len(monolith.programs)
    with pytest.raises(PlanError, match=r"^cannot use policy 'x'"):
        make_plan("vmx", policy="x")


def test_a_start_may_do_without_heartbeats() -> None:
    with_them, without = make_plan("vmx"), make_plan("vmx", heartbeats=False)

    assert (True, False) == (with_them.heartbeats, without.heartbeats)
    assert {None} == {program.heartbeat for program in without.programs}
    assert None not in {program.heartbeat for program in with_them.programs}


def test_only_linux_with_proc_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    require_linux()
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    with pytest.raises(BootError, match=r"^cannot run without /proc: mount it"):
        require_linux()
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(BootError, match=r"^cannot run on darwin: jsupervisor needs Linux$"):
        require_linux()


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"^cannot use 'No Name' as an instance name"):
        boot(one(), name="No Name", home=tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_a_start_that_cannot_write_leaves_no_run_folder(tmp_path: Path) -> None:
    chosen = instance("one", tmp_path)
    (chosen.home / "plan.json").mkdir(parents=True)

    with pytest.raises(BootError, match=r"^cannot start 'one': .*plan\.json.*: Is a directory"):
        boot(one(), name="one", home=tmp_path)
    assert not chosen.run_dir.exists()
    assert not chosen.alive()


def test_a_start_without_an_interpreter_leaves_no_run_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(BootError, match=r"^cannot start 'one': /no/such/python: No such file"):
        boot(one(), name="one", home=tmp_path)
    assert not instance("one", tmp_path).run_dir.exists()
    assert before == len(os.listdir("/proc/self/fd"))


# -- real ones ------------------------------------------------------------------------------------


@pytest.mark.system
def test_an_instance_lives_until_its_lifeline_is_let_go(tmp_path: Path) -> None:
    booted = boot(one(), name="one", home=tmp_path, config="system { host-name x; }\n")
    try:
        await_ready(booted)
        home = booted.instance.home

        assert "system { host-name x; }\n" == (home / "config" / "juniper.conf").read_text()
        assert one() == read_plan(home / "plan.json")
        assert booted.instance.alive()
        with pytest.raises(BootError, match=r"^cannot start 'one': it is running already"):
            boot(one(), name="one", home=tmp_path)
    finally:
        booted.let_go()
        booted.let_go()
        code = booted.process.wait(TIMEOUT)

    assert 0 == code
    assert not booted.instance.alive()
    assert not booted.instance.run_dir.exists()


@pytest.mark.system
def test_a_detached_instance_has_no_lifeline(tmp_path: Path) -> None:
    booted = boot(one(), name="one", home=tmp_path, detach=True)
    try:
        await_ready(booted)
        booted.let_go()

        assert -1 == booted.lifeline
        assert booted.process.poll() is None
    finally:
        booted.process.send_signal(signal.SIGTERM)
        assert 0 == booted.process.wait(TIMEOUT)


@pytest.mark.system
def test_the_next_start_sweeps_what_a_killed_init_left(tmp_path: Path) -> None:
    booted = boot(one(), name="one", home=tmp_path)
    await_ready(booted)
    booted.process.kill()
    booted.process.wait(TIMEOUT)
    booted.let_go()
    left = booted.instance.run_dir / "left"
    left.touch()
    again = boot(one(), name="one", home=tmp_path)
    try:
        await_ready(again)

        assert not left.exists()
    finally:
        again.let_go()
        assert 0 == again.process.wait(TIMEOUT)


@pytest.mark.system
def test_what_is_started_is_known_to_init(tmp_path: Path) -> None:
    booted = boot(make_plan("vmx"), name="one", home=tmp_path)
    try:
        arguments = booted.process.args
        assert isinstance(arguments, list)
        order = json.loads(str(arguments[5]))

        assert ("one", "vmx", "modular") == tuple(
            order[key] for key in ("instance", "profile", "architecture")
        )
        assert "jsupervisor.jlaunchd" == order["jlaunchd"][3]
        setup = json.loads(order["launcher"][4])
        assert ["jsupervisor.runtime.lean", "jdaemons.pfe.engine"] == setup["lean_imports"]
        assert "jdaemons.rpd.daemon" in setup["full_imports"]
        assert "jdaemons.pfe.engine" not in setup["full_imports"]
    finally:
        booted.let_go()
        booted.process.wait(TIMEOUT)

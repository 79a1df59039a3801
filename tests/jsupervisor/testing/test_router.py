"""The harness boots real processes, breaks them, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsupervisor.boot import BootError
from jsupervisor.observer import processes
from jsupervisor.testing import HarnessError, Router

pytestmark = pytest.mark.system


def test_all_modules_are_up_on_entry(router: Router) -> None:
    status = router.status()

    assert status.all_up
    assert ["rpd", "dcd"] == [module.name for module in status.modules]
    assert {"rpd", "dcd", "jlaunchd", "launcher"} == set(router.processes())


def test_a_killed_module_is_replaced_and_nobody_else(router: Router) -> None:
    before = router.processes()
    report = router.inject("kill", "rpd")
    after = router.processes()

    assert report.recovered
    assert {"rpd"} == {name for name in before if before[name] != after[name]}


def test_events_since_a_mark_can_be_awaited(router: Router) -> None:
    mark = router.mark()
    pid = router.restart("dcd")
    ready = router.wait_for(mark, "dcd", "ready")

    assert ["restart", "exit", "start"] == [
        record.event for record in router.events(mark) if record.name == "dcd"
    ][:3]
    assert (pid, ready.incarnation) == (
        router.status().find("dcd").pid,
        router.status().find("dcd").incarnation,
    )


def test_a_wait_that_is_not_fulfilled_ends(router: Router) -> None:
    with pytest.raises(TimeoutError, match="cannot see thrash of rpd"):
        router.wait_for(router.mark(), "rpd", "thrash", timeout=0.01)


def test_a_restart_of_no_kind_is_refused(router: Router) -> None:
    with pytest.raises(HarnessError, match="cannot restart rpd slowly: say one of gracefully"):
        router.restart("rpd", "slowly")


def test_data_that_a_module_does_not_have_is_an_error(router: Router) -> None:
    with pytest.raises(HarnessError, match="cannot get nonsense of rpd"):
        router.show("rpd", "nonsense")


def test_modules_without_feeds_have_no_sessions(router: Router) -> None:
    assert [] == router.sessions()


def test_a_second_start_of_the_same_name_is_refused(router: Router, toy: str) -> None:
    with (
        pytest.raises(BootError, match=f"cannot start '{router.instance.name}': it is running"),
        Router.boot(profile=toy, name=router.instance.name, home=router.instance.home.parent),
    ):
        pass
    assert router.status().all_up


def test_two_routers_run_side_by_side(router: Router, toy: str) -> None:
    before = router.processes()
    with Router.boot(profile=toy) as other:
        assert not set(before.values()) & set(other.processes().values())
        other.inject("kill", "rpd")
    assert before == router.processes()


def test_nothing_is_left_after_the_block(toy: str) -> None:
    with Router.boot(profile=toy) as router:
        everything = router.everything()
        home, run_dir = router.instance.home, router.instance.run_dir

    assert len(everything) >= 6
    assert not any(processes.alive(process) for process in everything)
    assert not home.exists()
    assert not run_dir.exists() or not list(run_dir.iterdir())


def test_a_home_that_was_given_is_kept(toy: str, tmp_path: Path) -> None:
    with Router.boot(profile=toy, name="kept", home=tmp_path) as router:
        assert tmp_path / "kept" == router.instance.home

    assert (tmp_path / "kept" / "log").is_dir()


def test_nothing_is_left_after_a_failed_test(toy: str) -> None:
    with pytest.raises(ZeroDivisionError), Router.boot(profile=toy) as router:
        everything = router.everything()
        _ = 1 / 0

    assert not any(processes.alive(process) for process in everything)


def test_a_module_that_does_not_come_up_is_named(tmp_path: Path) -> None:
    profile = tmp_path / "broken.toml"
    profile.write_text('[profile]\nname = "broken"\n[program.rpd]\nentry = "no.such:Module"\n')

    with (
        pytest.raises(HarnessError, match="cannot bring up rpd"),
        Router.boot(str(profile), timeout=2.0),
    ):
        pass


def test_events_cannot_be_had_after_the_end(toy: str) -> None:
    with Router.boot(profile=toy) as router:
        router.stop()
        with pytest.raises(HarnessError, match="cannot watch a router that is not running"):
            router.mark()

"""However an instance ends, nothing of it is left."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jsupervisor.observer import processes
from jsupervisor.observer.processes import ProcessId
from jsupervisor.paths import Instance, instance
from jsupervisor.testing import HarnessError, Router
from jsupervisor.testing.harness import leftovers

pytestmark = pytest.mark.system

STARTER = """
import sys
from pathlib import Path
from jsupervisor.testing import Router

with Router.boot("vmx", name="started", home=Path(sys.argv[1])) as router:
    print(*[f"{each.pid}:{each.start_time}" for each in router.everything()], flush=True)
    sys.stdin.read()
"""


def started(home: Path) -> tuple[subprocess.Popen[str], list[ProcessId]]:
    """A program that runs a router until it ends, and all processes of that router."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert starter.stdout is not None
    words = starter.stdout.readline().split()
    everything = [ProcessId(*map(int, word.split(":"))) for word in words]
    return starter, everything


def end(starter: subprocess.Popen[str]) -> None:
    """Reap the starter and close its pipes."""
    starter.communicate(timeout=30)


def await_dead(everything: list[ProcessId]) -> None:
    """Wait for the last of them; each in turn, by a descriptor that becomes readable."""
    for process in everything:
        try:
            pidfd = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        try:
            if processes.alive(process):
                assert select.select([pidfd], [], [], 15.0)[0]
        finally:
            os.close(pidfd)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_end_of_the_starter_ends_the_router(tmp_path: Path, number: signal.Signals) -> None:
    starter, everything = started(tmp_path)
    starter.send_signal(number)
    end(starter)
    await_dead(everything)

    assert len(everything) >= 10
    assert not leftovers(instance("started", tmp_path), everything)


def test_after_the_death_of_init_only_dead_files_are_left_and_the_next_start_removes_them(
    tmp_path: Path,
) -> None:
    starter, everything = started(tmp_path)
    os.kill(everything[0].pid, signal.SIGKILL)
    await_dead(everything)
    end(starter)
    dead = instance("started", tmp_path)
    left = leftovers(dead, everything)

    assert () == left.processes
    assert left.files
    with Router.boot("vmx", name="started", home=tmp_path) as router:
        assert router.status().all_up
        assert not set(left.files) & set(_sockets_of_others(dead, router))
    assert not leftovers(dead)


def _sockets_of_others(dead: Instance, router: Router) -> list[str]:
    """Files in the run folder that no running module of this boot made: old incarnations."""
    modules = {module.name for module in router.status().modules}
    return [
        str(path)
        for path in dead.run_dir.iterdir()
        if path.name not in {*modules, "init.sock", "jlaunchd", "cgroups"}
    ]


def test_a_home_of_200_characters_works(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100) / ("y" * 100)
    with Router.boot("vmx", name="far", home=home) as router:
        report = router.inject("kill", "rpd")
        sockets = [str(path) for path in router.instance.run_dir.rglob("*.sock")]

    assert report.recovered
    assert max(map(len, sockets)) <= 107


def test_two_routers_side_by_side_do_not_meet(tmp_path: Path) -> None:
    with (
        Router.boot("vmx", name="one", home=tmp_path) as one,
        Router.boot("vmx", name="two", home=tmp_path) as two,
    ):
        before = two.processes()
        for module in ("rpd", "jlaunchd", "launcher"):
            assert one.inject("kill", module).recovered

        assert before == two.processes()


def test_a_failed_start_leaves_nothing(tmp_path: Path) -> None:
    profile = tmp_path / "broken.toml"
    profile.write_text('[profile]\nname = "broken"\n[program.rpd]\nentry = "no.such:Module"\n')
    with (
        pytest.raises(HarnessError, match="cannot bring up rpd"),
        Router.boot(str(profile), name="broken", home=tmp_path, timeout=1.0),
    ):
        pass

    assert not leftovers(instance("broken", tmp_path))

"""Folders of an instance, and the lock that alone proves life."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jsupervisor.paths import (
    Instance,
    PathError,
    home_of_all,
    instance,
    instances,
    make_module_folder,
)

PROBES = """
import sys
from pathlib import Path
from jsupervisor.paths import instance
chosen = instance("default", Path(sys.argv[1]))
print("ready", flush=True)
while True:
    chosen.alive()
"""


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """An instance whose home and run folder are this test's own."""
    runtime = tmp_path / "r"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("JSUPERVISOR_HOME", str(tmp_path / "home"))
    found = instance("default")
    if len(str(runtime)) > 50:
        found = Instance(found.name, found.home, runtime / "jsup" / "0123456789ab")
    return found


def test_everything_has_its_place(chosen: Instance) -> None:
    home, run = chosen.home, chosen.run_dir

    assert [home / "lock", home / "log", home / "config", home / "crash"] == [
        chosen.lock_path,
        chosen.log_dir,
        chosen.config_dir,
        chosen.crash_dir,
    ]
    assert home / "journal.jsonl" == chosen.journal
    assert [run / "init.sock", run / "rpd" / "plain.sock", run / "rpd" / "rpc.sock"] == [
        chosen.init_socket,
        chosen.socket("rpd"),
        chosen.rpc_socket("rpd"),
    ]


def test_naming_an_instance_touches_nothing(chosen: Instance) -> None:
    assert not chosen.home.exists()
    assert not chosen.run_dir.exists()
    assert not chosen.alive()
    assert [] == instances()


def test_make_makes_private_folders_and_can_be_repeated(chosen: Instance) -> None:
    chosen.make()
    chosen.make()

    folders = (chosen.home, chosen.run_dir, chosen.run_dir.parent, chosen.log_dir)
    assert {0o700} == {folder.stat().st_mode & 0o777 for folder in folders}
    assert chosen.run_dir == (chosen.home / "run").readlink()


def test_a_run_folder_that_others_may_enter_is_closed_to_them(chosen: Instance) -> None:
    chosen.run_dir.mkdir(parents=True)
    chosen.run_dir.chmod(0o777)
    chosen.make()

    assert 0o700 == chosen.run_dir.stat().st_mode & 0o777


def test_a_run_folder_that_leads_elsewhere_is_refused(chosen: Instance, tmp_path: Path) -> None:
    chosen.run_dir.parent.mkdir(parents=True)
    chosen.run_dir.symlink_to(tmp_path)

    with pytest.raises(
        PathError, match=r"^cannot use .*: it is not a folder of uid \d+; remove it"
    ):
        chosen.make()


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give a folder to somebody else")
def test_a_run_folder_of_another_user_is_refused(chosen: Instance) -> None:
    chosen.run_dir.mkdir(parents=True)
    os.chown(chosen.run_dir, 65534, 65534)

    with pytest.raises(PathError, match="is not a folder of uid 0"):
        chosen.make()


def test_a_file_in_the_way_is_named(chosen: Instance) -> None:
    chosen.home.parent.mkdir()
    chosen.home.write_text("x")

    with pytest.raises(PathError, match=r"^cannot make .*/home/default: File exists$"):
        chosen.make()
    with pytest.raises(PathError, match=r"^cannot make .*/home/default: "):
        chosen.lock()


def test_one_at_a_time_holds_the_lock(chosen: Instance) -> None:
    first = chosen.lock()
    assert first is not None
    assert chosen.lock() is None
    assert chosen.alive()
    os.close(first)

    assert not chosen.alive()
    second = chosen.lock()
    assert second is not None
    os.close(second)


def test_asking_whether_it_lives_never_looks_like_life(chosen: Instance) -> None:
    chosen.make()
    os.close(chosen.lock() or -1)
    asker = subprocess.Popen(
        [sys.executable, "-c", PROBES, str(chosen.home.parent)], stdout=subprocess.PIPE
    )
    assert asker.stdout is not None
    with asker.stdout:
        asker.stdout.readline()
        for _ in range(2000):
            assert not chosen.alive()
            fd = chosen.lock()
            assert fd is not None
            os.close(fd)
        asker.kill()
        asker.wait()


def test_a_sweep_removes_what_is_dead_and_keeps_what_is_kept(chosen: Instance) -> None:
    chosen.make()
    make_module_folder(chosen.run_dir, "rpd")
    chosen.socket("rpd").touch()
    (chosen.log_dir / "messages").touch()

    assert chosen.sweep()
    assert not chosen.run_dir.exists()
    assert not (chosen.home / "run").is_symlink()
    assert (chosen.log_dir / "messages").exists()
    assert not chosen.sweep()


def test_a_sweep_does_not_follow_a_link(chosen: Instance, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    chosen.run_dir.parent.mkdir(parents=True)
    chosen.run_dir.symlink_to(precious)

    assert not chosen.sweep()
    assert precious.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "A", "-x", "x" * 33, "a b", "é", "a\n"])
def test_a_name_that_could_not_be_a_file_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"^cannot use .* as an instance name: lower-case letters"):
        instance(name, tmp_path)


def test_a_socket_path_fits_whatever_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 60)))
    far = instance("x" * 32, Path("/" + "h" * 200))

    assert len(str(far.rpc_socket("a-module-of-32-characters-at-most.123"))) <= 107
    assert str(far.run_dir).startswith(f"/tmp/jsup-{os.getuid()}/")


def test_two_homes_have_two_run_folders(tmp_path: Path) -> None:
    assert instance("a", tmp_path / "x").run_dir != instance("a", tmp_path / "y").run_dir


def test_the_home_of_all_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSUPERVISOR_HOME", "/a")
    assert Path("/a") == home_of_all()
    monkeypatch.delenv("JSUPERVISOR_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", "/b")
    assert Path("/b/jsupervisor") == home_of_all()
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/c")
    assert Path("/c/.local/state/jsupervisor") == home_of_all()


def test_instances_are_those_with_a_lock(tmp_path: Path) -> None:
    for name in ("b", "a", "NOT ONE"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    (tmp_path / "c").mkdir()

    assert ["a", "b"] == [found.name for found in instances(tmp_path)]

"""Whose files are whose. Giving them away needs root."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jsupervisor.containment import folders
from jsupervisor.containment.credentials import Identity
from jsupervisor.containment.folders import FolderError

ME = Identity(70001, (70000,))
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def told(path: Path) -> tuple[int, int, int]:
    """(uid, gid, mode) of what is there, and not of what it leads to."""
    status = os.lstat(path)
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@needs_root
@pytest.mark.root
def test_modules_may_pass_the_instances_folders_and_list_none(tmp_path: Path) -> None:
    home, run_dir = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    run_dir.mkdir()
    folders.open_passage(str(home), str(run_dir), 70000, 70009)
    folders.open_passage(str(home), str(run_dir), 70000, 70009)

    assert 0o711 == told(home)[2]
    assert (0, 70009, 0o1731) == told(run_dir)
    assert (0, 70000, 0o2710) == told(run_dir / "jlaunchd")


@needs_root
@pytest.mark.root
def test_a_modules_sockets_are_reached_by_all_and_listed_by_itself(tmp_path: Path) -> None:
    (tmp_path / "rpd").mkdir()
    folders.take_socket_folder(str(tmp_path), "rpd", ME)

    assert (70001, 70000, 0o2710) == told(tmp_path / "rpd")


@needs_root
@pytest.mark.root
def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "rpd").symlink_to("elsewhere")

    with pytest.raises(OSError):
        folders.take_socket_folder(str(tmp_path), "rpd", ME)
    assert 0 == told(tmp_path / "elsewhere")[0]


@needs_root
@pytest.mark.root
def test_what_a_role_owns_is_given_with_everything_in_it(tmp_path: Path) -> None:
    config, outside = tmp_path / "config", tmp_path / "outside"
    (config / "old").mkdir(parents=True)
    (config / "old" / "juniper.conf").touch()
    outside.touch()
    (config / "link").symlink_to(outside)
    folders.give(ME, [str(config)], [])

    assert (70001, 70001, 0o700) == told(config)
    for name in ("old", "old/juniper.conf", "link"):
        assert (70001, 70001) == told(config / name)[:2]
    assert 0 == told(outside)[0]


@needs_root
@pytest.mark.root
def test_among_others_files_only_its_own_are_given(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    for name in ("messages", "messages.0.gz", "rpd.stderr", "rpd.stderr.0.gz"):
        (log / name).touch()
    (log / "link").symlink_to("rpd.stderr")
    folders.give(ME, [], [str(log)])

    assert (0, 70001, 0o1770) == told(log)
    assert [70001, 70001, 0, 0, 0] == [
        told(log / name)[0]
        for name in ("messages", "messages.0.gz", "rpd.stderr", "rpd.stderr.0.gz", "link")
    ]


@needs_root
@pytest.mark.root
def test_an_instance_that_goes_on_without_uids_is_all_roots_again(tmp_path: Path) -> None:
    for name in ("config", "log", "crash"):
        (tmp_path / name).mkdir(mode=0o700)
        (tmp_path / name / "file").touch()
    folders.give(ME, [str(tmp_path / "config")], [str(tmp_path / "log")])
    before = told(tmp_path / "log" / "file")[0]
    folders.take_back(str(tmp_path))

    assert 70001 == before
    for name in ("config", "log", "crash"):
        assert (0, 0, 0o700) == told(tmp_path / name)
        assert 0 == told(tmp_path / name / "file")[0]


@needs_root
@pytest.mark.root
def test_a_shared_folder_that_is_somebody_elses_is_refused(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    os.chown(log, 70005, 70005)

    with pytest.raises(FolderError, match=f"cannot use {log}: it belongs to uid 70005"):
        folders.give(ME, [], [str(log)])


@needs_root
@pytest.mark.root
def test_a_folder_may_be_listed_and_its_files_not_read(tmp_path: Path) -> None:
    crash = tmp_path / "crash"
    crash.mkdir()
    (crash / "rpd.core.0").touch(0o600)
    folders.let_list(ME, [str(crash)])

    assert (0, 70001, 0o750) == told(crash)
    assert (0, 0, 0o600) == told(crash / "rpd.core.0")


@needs_root
@pytest.mark.root
def test_notes_are_the_modules_own_file(tmp_path: Path) -> None:
    folders.make_notes(str(tmp_path), ME)

    assert (70001, 70001, 0o600) == told(tmp_path / "links.70001")


def test_without_uids_notes_are_the_common_file(tmp_path: Path) -> None:
    folders.make_notes(str(tmp_path), None)
    (tmp_path / "links").write_text("kept")
    folders.make_notes(str(tmp_path), None)

    assert "kept" == (tmp_path / "links").read_text()


def test_notes_are_never_made_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "links").symlink_to("elsewhere")

    with pytest.raises(OSError):
        folders.make_notes(str(tmp_path), None)

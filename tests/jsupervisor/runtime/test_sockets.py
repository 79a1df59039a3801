"""A folder for each module, and files of an incarnation behind a stable name in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsupervisor.paths import PLAIN, RPC, make_module_folder
from jsupervisor.runtime.sockets import MAX_PATH, Place, SocketPathError, sweep


def a_place(run_dir: Path, incarnation: int) -> Place:
    make_module_folder(run_dir, "rpd")
    place = Place(str(run_dir), "rpd", RPC, incarnation)
    Path(place.path).touch()
    return place


def test_the_stable_name_means_the_newest_incarnation(tmp_path: Path) -> None:
    for incarnation in (1, 2):
        a_place(tmp_path, incarnation).publish()

    assert "rpc.2.sock" == os.readlink(tmp_path / "rpd" / "rpc.sock")


def test_publishing_over_a_leftover_of_a_predecessor_works(tmp_path: Path) -> None:
    place = a_place(tmp_path, 1)
    os.symlink("elsewhere", f"{place.link}.1")
    place.publish()

    assert {"rpc.1.sock", "rpc.sock"} == set(os.listdir(tmp_path / "rpd"))


def test_withdrawing_leaves_a_successors_name_alone(tmp_path: Path) -> None:
    old, new = a_place(tmp_path, 1), a_place(tmp_path, 2)
    old.publish()
    new.publish()
    old.withdraw()
    between = set(os.listdir(tmp_path / "rpd"))
    new.withdraw()
    new.withdraw()

    assert {"rpc.2.sock", "rpc.sock"} == between
    assert [] == os.listdir(tmp_path / "rpd")


@pytest.mark.parametrize(("kind", "mode"), [("plain", 0o700), ("rpc", 0o660)])
def test_where_modules_have_uids_the_others_reach_the_rpc_socket_alone(
    tmp_path: Path, kind: str, mode: int
) -> None:
    folder = tmp_path / "rpd"
    folder.mkdir()
    folder.chmod(0o2710)
    place = Place(str(tmp_path), "rpd", kind, 1)
    Path(place.path).touch(0o700)
    place.publish()

    assert mode == os.stat(place.path).st_mode & 0o777


def test_a_sweep_takes_older_incarnations_and_nothing_else(tmp_path: Path) -> None:
    make_module_folder(tmp_path, "rpd")
    for name in ("plain.1.sock", "rpc.2.sock", "plain.3.sock", "plain.sock", "1.sock", "notes.1"):
        Path(tmp_path, "rpd", name).touch()
    sweep(str(tmp_path), "rpd", 3)

    left = {"plain.3.sock", "plain.sock", "1.sock", "notes.1"}
    assert left == set(os.listdir(tmp_path / "rpd"))


def test_a_path_that_is_too_long_is_one_clear_line() -> None:
    run_dir = "/" + "x" * (MAX_PATH - 1 - len("/rpd/plain.1.sock"))
    fits = Place(run_dir, "rpd", PLAIN, 1).path
    with pytest.raises(SocketPathError, match="108 octets, 107 at most"):
        _ = Place(run_dir, "rpd", PLAIN, 10).path

    assert MAX_PATH == len(fits)

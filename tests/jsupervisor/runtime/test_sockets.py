"""Files of an incarnation behind a stable name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsupervisor.runtime.sockets import MAX_PATH, Place, SocketPathError, sweep


def a_place(folder: Path, incarnation: int, suffix: str = "rpc.sock") -> Place:
    place = Place(str(folder), "rpd", incarnation, suffix)
    Path(folder, f"rpd.{incarnation}.{suffix}").touch()
    return place


def test_the_stable_name_means_the_newest_incarnation(tmp_path: Path) -> None:
    for incarnation in (1, 2):
        a_place(tmp_path, incarnation).publish()

    assert "rpd.2.rpc.sock" == os.readlink(tmp_path / "rpd.rpc.sock")


def test_publishing_over_a_leftover_of_a_predecessor_works(tmp_path: Path) -> None:
    place = a_place(tmp_path, 1)
    os.symlink("elsewhere", f"{place.link}.1")
    place.publish()

    assert {"rpd.1.rpc.sock", "rpd.rpc.sock"} == set(os.listdir(tmp_path))


def test_withdrawing_leaves_a_successors_name_alone(tmp_path: Path) -> None:
    old, new = a_place(tmp_path, 1), a_place(tmp_path, 2)
    old.publish()
    new.publish()
    old.withdraw()
    between = set(os.listdir(tmp_path))
    new.withdraw()
    new.withdraw()

    assert {"rpd.2.rpc.sock", "rpd.rpc.sock"} == between
    assert [] == os.listdir(tmp_path)


def test_a_sweep_takes_older_incarnations_of_this_module_only(tmp_path: Path) -> None:
    for name in ("rpd.1.sock", "rpd.2.rpc.sock", "rpd.3.sock", "rpd.sock", "rpd2.1.sock"):
        Path(tmp_path, name).touch()
    sweep(str(tmp_path), "rpd", 3)

    assert {"rpd.3.sock", "rpd.sock", "rpd2.1.sock"} == set(os.listdir(tmp_path))


def test_a_path_that_is_too_long_is_one_clear_line() -> None:
    folder = "/" + "x" * (MAX_PATH - 1 - len("/rpd.1.rpc.sock"))
    fits = Place(folder, "rpd", 1, "rpc.sock").path
    with pytest.raises(SocketPathError, match="108 octets, 107 at most"):
        _ = Place(folder, "rpd", 10, "rpc.sock").path

    assert MAX_PATH == len(fits)

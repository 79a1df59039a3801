"""What a launcher does before it starts any module."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jsupervisor.containment import credentials, kernel, view
from jsupervisor.containment.ground import AUTO, NO, YES, Ground, NoUids, why_no_uids
from jsupervisor.containment.machine import Machine
from jsupervisor.containment.view import ViewError

InChild = Callable[[Callable[[], object]], object]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def make(folder: Path, uids: str = AUTO) -> Ground:
    """The ground of an instance in a folder."""
    for name in ("home", "run"):
        (folder / name).mkdir(exist_ok=True)
    return Ground(
        uids=uids,
        lowest=1_900_000_000,
        highest=1_900_000_009,
        group=1_900_000_000,
        ports_group=1_900_000_001,
        home=str(folder / "home"),
        run_dir=str(folder / "run"),
    )


def test_a_setup_without_a_word_means_no_uids() -> None:
    assert Ground() == Ground.from_json(None)
    assert NO == Ground().uids


def test_a_ground_is_read_from_a_setup(tmp_path: Path) -> None:
    known = make(tmp_path)
    fields = {
        name: getattr(known, name)
        for name in ("uids", "lowest", "highest", "group", "ports_group", "home", "run_dir")
    }

    assert known == Ground.from_json(fields)
    assert ("/p",) == Ground.from_json({**fields, "folders": ["/p"]}).folders
    assert not Ground.from_json({**fields, "cgroups": False}).cgroups


def prepare(ground: Ground) -> Callable[[], Machine]:
    """In a child, for it cannot be taken back."""
    return ground.prepare


def test_a_launcher_gains_no_rights_and_leaves_no_core(in_child: InChild) -> None:
    def look() -> object:
        Ground().prepare()
        return kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS)

    assert 1 == in_child(look)


def test_uids_that_are_switched_off_are_said_to_be(in_child: InChild, tmp_path: Path) -> None:
    machine = in_child(prepare(make(tmp_path, NO)))

    assert isinstance(machine, Machine)
    assert "switched off in the profile" == machine.no_uids


@needs_root
@pytest.mark.root
def test_with_root_modules_have_uids(in_child: InChild, tmp_path: Path) -> None:
    ground = make(tmp_path)
    opened = ground.open_passage()
    machine = in_child(prepare(ground))

    assert isinstance(machine, Machine)
    assert ("", True) == (opened, machine.uids)
    assert 0o711 == os.stat(ground.home).st_mode & 0o777


def not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "capabilities", lambda which="CapEff": 0)


def test_without_root_auto_goes_on_and_says_why(
    in_child: InChild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_root(monkeypatch)
    ground = make(tmp_path)
    machine = in_child(prepare(ground))

    assert isinstance(machine, Machine)
    assert why_no_uids(ground) == machine.no_uids == ground.open_passage()
    assert machine.no_uids.startswith("not root")
    assert 0o711 != os.stat(ground.home).st_mode & 0o777


def test_without_root_yes_is_refused(
    in_child: InChild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    not_root(monkeypatch)
    ground = make(tmp_path, YES)

    with pytest.raises(NoUids, match="modules cannot have uids of their own: not root"):
        ground.open_passage()
    with pytest.raises(NoUids, match="not root"):
        in_child(prepare(ground))


@needs_root
@pytest.mark.root
def test_where_the_way_is_barred_there_are_no_uids(
    in_child: InChild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(covers: dict[str, list[str]]) -> None:
        raise ViewError("/root closed to other uids, and no private view: not permitted")

    monkeypatch.setattr(view, "plan", lambda wanted: {"/root": ["/root/x"]})
    monkeypatch.setattr(view, "enter", refuse)
    machine = in_child(prepare(make(tmp_path)))

    assert isinstance(machine, Machine)
    assert "/root closed to other uids, and no private view: not permitted" == machine.no_uids

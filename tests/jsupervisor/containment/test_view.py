"""A private view of the file system."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jsupervisor.containment import kernel, view
from jsupervisor.containment.view import ViewError

InChild = Callable[[Callable[[], object]], object]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A closed folder with what is needed and what is not, in an open one."""
    closed = tmp_path / "closed"
    for name in ("needed/deep", "secret"):
        (closed / name).mkdir(parents=True)
        (closed / name / "file").write_text(name)
    (tmp_path / "open").mkdir()
    closed.chmod(0o700)
    return tmp_path


def test_the_topmost_closed_folder_is_what_counts(house: Path) -> None:
    above = view.closed_above(str(house / "open"))
    inside = view.closed_above(str(house / "closed" / "needed"))

    assert inside == (above or str(house / "closed"))


def test_what_lies_in_the_open_needs_no_cover() -> None:
    assert {} == view.plan(["/usr", "/usr/lib", "/no/such/thing"])


def test_what_is_not_there_needs_no_cover_either(house: Path) -> None:
    assert {} == view.plan([str(house / "closed" / "none")])


def test_a_path_inside_another_is_bound_once(house: Path) -> None:
    needed = house / "closed" / "needed"
    covers = view.plan([str(needed / "deep"), str(needed), str(needed / "deep" / "file")])

    assert [[str(needed)]] == list(covers.values())


@needs_root
@pytest.mark.root
def test_others_reach_what_is_needed_and_nothing_else(in_child: InChild, house: Path) -> None:
    needed = house / "closed" / "needed" / "deep"
    needed.parent.chmod(0o755)

    def look() -> object:
        view.enter(view.plan([str(needed)]))
        os.setresuid(70001, 70001, 70001)
        return (needed / "file").read_text(), (house / "closed" / "secret").exists()

    assert ("needed/deep", False) == in_child(look)


@needs_root
@pytest.mark.root
def test_the_view_is_not_seen_outside_and_writes_go_through(in_child: InChild, house: Path) -> None:
    needed = house / "closed" / "needed"

    def write() -> None:
        view.enter(view.plan([str(needed)]))
        (needed / "new").write_text("through")

    in_child(write)

    assert "through" == (needed / "new").read_text()
    assert (house / "closed" / "secret" / "file").exists()


@needs_root
@pytest.mark.root
def test_nothing_can_be_put_beside_what_is_bound(in_child: InChild, house: Path) -> None:
    def plant() -> None:
        covers = view.plan([str(house / "closed" / "needed")])
        view.enter(covers)
        Path(next(iter(covers)), "planted").touch()

    with pytest.raises(OSError, match="Read-only"):
        in_child(plant)


@needs_root
@pytest.mark.root
def test_a_single_file_may_be_needed(in_child: InChild, house: Path) -> None:
    file = house / "closed" / "needed" / "deep" / "file"

    def read() -> object:
        view.enter(view.plan([str(file)]))
        return file.read_text(), os.listdir(file.parent)

    assert ("needed/deep", ["file"]) == in_child(read)


def test_where_there_is_no_view_the_error_names_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(flags: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(kernel, "unshare", refuse)
    with pytest.raises(ViewError, match="/root closed to other uids, and no private view: Oper"):
        view.enter({"/root": ["/root/.pyenv"]})

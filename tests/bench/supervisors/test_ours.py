"""Ours is measured under a policy that its file and its profile name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.supervisors.board import Board
from bench.supervisors.ours import Module, ModuleSpare, Supervise, SuperviseBeating
from bench.supervisors.system import Site
from bench.supervisors.work import Work


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Board(tmp_path / "board") as board:
        works = tuple(
            Work(index=index, program=("/bin/work",), board=str(board.path), mark="m")
            for index in range(2)
        )
        yield Site(folder=tmp_path, works=works, board=board, mark="m")


def test_the_file_names_every_program_and_one_policy(site: Site) -> None:
    Supervise(site).configure()
    found = tomllib.loads((site.folder / "supervise.toml").read_text())

    assert {"w0", "w1"} == set(found["program"])
    assert list(site.works[0].command) == found["program"]["w0"]["command"]
    assert "fd:3" == found["program"]["w0"]["readiness"]
    assert "heartbeat" not in found["program"]["w0"]
    assert {"members": ["w0", "w1"], "policy": "never-give-up"} == found["group"]["all"]


def test_heartbeats_are_asked_for_where_they_are_measured(site: Site) -> None:
    SuperviseBeating(site).configure()
    found = tomllib.loads((site.folder / "supervise.toml").read_text())

    assert 1.0 == found["program"]["w1"]["heartbeat"]
    assert "notify" == found["program"]["w1"]["readiness"]


@pytest.mark.parametrize(("kind", "spare"), [(Module, False), (ModuleSpare, True)])
def test_a_profile_has_a_module_for_each_program(
    kind: type[Module], spare: bool, site: Site
) -> None:
    kind(site).configure()
    found = tomllib.loads((site.folder / "bench.toml").read_text())

    assert "never-give-up" == found["profile"]["policy"]
    assert {"eventd", "w0", "w1"} == set(found["program"])
    assert [spare, spare] == [found["program"][name]["spare"] for name in ("w0", "w1")]

"""Each peer gets its own kind of files, and every program is in them with its one argument."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.supervisors.board import Board
from bench.supervisors.catalogue import SYSTEMS
from bench.supervisors.system import Site, System
from bench.supervisors.work import NotToBeHad, Work

PEERS = [name for name in SYSTEMS if not name.startswith("ours")]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Board(tmp_path / "board") as board:
        works = tuple(
            Work(index=index, program=("/bin/work",), board=str(board.path), mark="m")
            for index in range(2)
        )
        yield Site(folder=tmp_path, works=works, board=board, mark="m")


def configured(name: str, site: Site) -> System:
    """The system with its files; skips where that needs the peer itself."""
    system = SYSTEMS[name](site)
    if name.startswith("erlang"):
        try:
            system.version()
        except NotToBeHad as error:
            pytest.skip(str(error))
    system.configure()
    return system


def files(site: Site) -> str:
    """All text that was written."""
    paths = [path for path in site.folder.rglob("*") if stat.S_ISREG(os.stat(path).st_mode)]
    return "\n".join(path.read_text(errors="replace") for path in paths)


@pytest.mark.parametrize("name", PEERS)
def test_every_program_is_configured(name: str, site: Site) -> None:
    configured(name, site)
    text = files(site)

    assert all(work.spec in text for work in site.works)
    assert SYSTEMS[name].policy


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_says_its_version_or_why_it_is_not_there(name: str) -> None:
    try:
        said = SYSTEMS[name].version()
    except NotToBeHad as error:
        said = str(error)

    assert said


def test_an_environment_that_was_not_made_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JSUP_BENCH_VENV", str(tmp_path))

    with pytest.raises(NotToBeHad, match="has made no environment"):
        SYSTEMS["circus"].version()


def test_systemd_restarts_without_a_limit_where_kills_are_repeated(site: Site) -> None:
    configured("systemd", site)

    assert "StartLimitIntervalSec=0" in files(site)


def test_systemd_keeps_its_own_limit_where_that_is_the_question(site: Site) -> None:
    configured("systemd-default", site)

    assert "StartLimitIntervalSec" not in files(site)


def test_s6_is_told_the_readiness_descriptor(site: Site) -> None:
    configured("s6", site)

    assert "3\n" == (site.folder / "services" / "w0" / "notification-fd").read_text()

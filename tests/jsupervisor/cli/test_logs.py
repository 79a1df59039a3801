"""`jsupervisor logs`: the last lines, one module's lines, new lines across a rotation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli.logs import Follower, about, last_lines
from jsupervisor.paths import instance

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus

RPD = "Nov 23 08:55:43  r1 rpd[4711]: RPD_TASK_BEGIN: Commencing routing updates"
DCD = "Nov  3 08:55:44  r1 dcd[4712]: DCD: rpd[4711]: is not the writer of this"


def test_a_line_belongs_to_the_module_that_wrote_it() -> None:
    wanted = about("rpd")

    assert [True, False] == [wanted(line) for line in (RPD, DCD)]
    assert [True, True] == [about(None)(line) for line in (RPD, DCD)]


def test_the_last_lines_may_stand_in_the_previous_file(tmp_path: Path) -> None:
    (tmp_path / "messages.0").write_text("a\nb\n")
    (tmp_path / "messages").write_text("c\n")

    assert ["b", "c"] == last_lines(tmp_path / "messages", 2, about(None))
    assert ["a", "b", "c"] == last_lines(tmp_path / "messages", 9, about(None))


def test_a_follower_gives_whole_lines_as_they_come(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    follower = Follower(path)

    assert [] == follower.lines()
    path.write_text("one\ntw")
    assert ["one"] == follower.lines()
    with path.open("a") as file:
        file.write("o\nthree\n")
    assert ["two", "three"] == follower.lines()
    follower.close()


def test_a_follower_goes_over_to_the_successor_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "messages"
    path.write_text("old\n")
    follower = Follower(path, from_end=True)
    with path.open("a") as file:
        file.write("last\n")
    path.rename(tmp_path / "messages.0")

    assert ["last"] == follower.lines()
    path.write_text("first\n")
    assert ["first"] == follower.lines()
    follower.close()


def test_the_log_of_one_module_is_found_by_any_of_its_names(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    init = make_init(module("rpd", 1), module("dcd", 2))
    (init.instance.log_dir / "messages").write_text(f"{RPD}\n{DCD}\n")

    assert [f"{RPD}\n"] * 2 == [cli("logs", name).out for name in ("rpd", "routing")]
    assert f"{RPD}\n{DCD}\n" == cli("logs").out
    assert f"{DCD}\n" == cli("logs", "-n", "1").out


def test_what_a_module_wrote_to_stderr_can_be_seen(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    init = make_init(module("rpd", 1))
    (init.instance.log_dir / "rpd.stderr").write_text("Traceback\n")

    assert "Traceback\n" == cli("logs", "rpd", "--stderr").out
    assert 2 == cli("logs", "--stderr").code


def test_an_unknown_module_is_refused_with_the_known_ones(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", 1))
    result = cli("logs", "bgpd")

    assert 2 == result.code
    assert result.err == (
        "jsupervisor: cannot show the log of 'bgpd': there is no such module;"
        " there are rpd, jlaunchd, launcher, init\n"
    )


def test_an_instance_that_never_was_is_one_clear_line(cli: Cli) -> None:
    result = cli("logs")

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot find instance default")


def test_following_ends_well_with_ctrl_c(
    cli: Cli, make_init: MakeInit, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = make_init()
    log = init.instance.log_dir / "messages"
    log.write_text(f"{DCD}\n")
    texts = [f"{DCD}\n{RPD}\n"]

    def nap(seconds: float) -> None:
        if not texts:
            raise KeyboardInterrupt
        log.write_text(texts.pop())

    monkeypatch.setattr("jsupervisor.cli.logs.time.sleep", nap)
    result = cli("logs", "-f")

    assert (0, f"{DCD}\n{RPD}\n") == (result.code, result.out)
    assert instance("default").log_dir.is_dir()

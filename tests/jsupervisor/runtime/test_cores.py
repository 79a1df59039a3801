"""Core files: named and listed as Junos does, written whole, read back or refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.runtime.cores import (
    Core,
    CoreError,
    core_path,
    cores,
    directory_list,
    file_date,
    read_core,
    write_core,
)

NOW = 1_700_000_000.0
CORE = Core(
    module="rpd",
    executable="rpd",
    incarnation=3,
    pid=4711,
    cause="hang",
    ended="signal:SIGABRT",
    monotonic_ns=10**9,
    trace="Fatal Python error: Aborted",
    stderr=("a", "b"),
    events=({"name": "rpd", "event": "hang"},),
)


@pytest.mark.parametrize(
    ("moment", "text"),
    [(NOW - 60, "Nov 14 22:12"), (NOW - 400 * 86400, "Oct 10  2022"), (NOW + 60, "Nov 14  2023")],
)
def test_a_date_is_that_of_ls(moment: float, text: str) -> None:
    assert text == file_date(moment, NOW)


def test_core_files_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("rpd.core.1", "rpd.core.0"):
        (tmp_path / name).write_bytes(b"1234")
        (tmp_path / name).chmod(0o660)
    data = directory_list(tmp_path, NOW)

    assert isinstance(data, dict)
    directory = data["directory-list"]["directory"]
    assert "2" == directory["total-files"]
    assert [
        (f"{tmp_path}/rpd.core.0", "-rw-rw----", "4"),
        (f"{tmp_path}/rpd.core.1", "-rw-rw----", "4"),
    ] == [
        (each["file-name"], each["file-permissions"], each["file-size"])
        for each in directory["file-information"]
    ]


def test_no_folder_is_no_core_file(tmp_path: Path) -> None:
    data = directory_list(tmp_path / "crash", NOW)

    assert isinstance(data, dict)
    directory = data["directory-list"]["directory"]
    assert ("0", []) == (directory["total-files"], directory["file-information"])
    assert [f"{tmp_path}/crash/*core*: No such file or directory"] == directory["output"]


def test_what_begins_with_a_dot_is_no_core_file(tmp_path: Path) -> None:
    (tmp_path / ".rpd.1.trace").touch()
    data = directory_list(tmp_path, NOW)

    assert isinstance(data, dict)
    assert "0" == data["directory-list"]["directory"]["total-files"]


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    data = directory_list(tmp_path, NOW)
    tmp_path.chmod(0o700)

    assert isinstance(data, dict)
    output = data["directory-list"]["directory"]["output"]
    assert [f"{tmp_path}/*core*: Permission denied"] == output


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = core_path(tmp_path, "rpd", 0)
    write_core(CORE, path)

    assert CORE == read_core(path)
    assert ["rpd.core.0"] == [each.name for each in tmp_path.iterdir()]
    assert 0o600 == path.stat().st_mode & 0o777


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    write_core(replace(CORE, stderr=("\udcff",)), tmp_path / "rpd.core.0")

    assert ("\udcff",) == read_core(tmp_path / "rpd.core.0").stderr


def test_a_core_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "rpd.core.0").mkdir()

    with pytest.raises(OSError):
        write_core(CORE, tmp_path / "rpd.core.0")
    assert ["rpd.core.0"] == [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "jsupervisor core 2"}', '{"format": "jsupervisor core 1"}']
)
def test_a_file_that_is_no_core_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "rpd.core.0").write_text(text)

    with pytest.raises(CoreError, match=f"^cannot read {tmp_path}/rpd.core.0: "):
        read_core(tmp_path / "rpd.core.0")


def test_a_file_that_is_gone_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(CoreError, match="No such file"):
        read_core(tmp_path / "rpd.core.0")


def test_a_core_of_a_later_version_with_more_in_it_is_read() -> None:
    assert CORE == Core.from_json({**CORE.to_json(), "weather": "fine"})


def test_the_cores_of_a_module_come_with_the_newest_last(tmp_path: Path) -> None:
    for number, moment in ((0, 300), (1, 100), (2, 200)):
        core_path(tmp_path, "rpd", number).touch()
        os.utime(core_path(tmp_path, "rpd", number), (moment, moment))
    for other in ("pfe0.core.0", "rpd.core.x", "rpd.core.0.gz", ".rpd.core.3.new", "core"):
        (tmp_path / other).touch()

    assert [1, 2, 0] == [number for _, number, _ in cores(tmp_path, "rpd")]
    assert {"rpd", "pfe0"} == {name for name, _, _ in cores(tmp_path)}


def test_without_a_folder_there_is_no_core(tmp_path: Path) -> None:
    assert [] == cores(tmp_path / "nowhere")

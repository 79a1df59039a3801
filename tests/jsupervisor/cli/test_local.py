"""The instance's processes and core files as data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsupervisor.cli.local import Machine, core_dumps, file_date, machine, processes, short_size
from jsupervisor.initproto import Message

NOW = 1_700_000_000.0


def test_processes_have_the_elements_of_junos() -> None:
    status: Message = {
        "init": {"pid": os.getpid()},
        "jlaunchd": {"pid": None},
        "launcher": {"pid": 2**22 + 1},
        "modules": [{"name": "rpd", "pid": os.getppid()}, {"name": "dcd", "pid": None}],
    }
    data = processes(status, machine())

    assert isinstance(data, dict)
    information = data["system-process-information"]["process-information"]
    found = information["process"]
    assert [("init", str(os.getpid())), ("rpd", str(os.getppid()))] == [
        (each["command"], each["pid"]) for each in found
    ]
    assert str(os.getuid()) == found[0]["uid"]
    assert str(os.getppid()) == found[0]["ppid"]
    assert float(found[0]["cpu-seconds"]) > 0


def test_the_machine_is_read_from_proc() -> None:
    now = machine()

    assert now.uptime > 0
    assert 3 == len(now.loads)
    assert now.memory["MemTotal"] > 1 << 20


def test_an_instance_without_processes_has_an_empty_list() -> None:
    now = Machine(10.0, 100, 4096, (0.0, 0.5, 1.0), {}, "7")
    data = processes({}, now)

    assert isinstance(data, dict)
    information = data["system-process-information"]["process-information"]
    assert ("0.50", "0+00:00:00", []) == (
        information["load-average-5"],
        information["up-time"],
        information["process"],
    )


@pytest.mark.parametrize(
    ("octets", "text"), [(0, "0K"), (5 << 20, "5120K"), (10 << 20, "10M"), (864 << 20, "864M")]
)
def test_memory_is_short(octets: int, text: str) -> None:
    assert text == short_size(octets)


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
    data = core_dumps(tmp_path, NOW)

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
    data = core_dumps(tmp_path / "crash", NOW)

    assert isinstance(data, dict)
    directory = data["directory-list"]["directory"]
    assert ("0", []) == (directory["total-files"], directory["file-information"])
    assert [f"{tmp_path}/crash/*core*: No such file or directory"] == directory["output"]

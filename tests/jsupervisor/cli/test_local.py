"""The instance's processes and core files as data."""

from __future__ import annotations

import os

import pytest

from jsupervisor.cli.local import Machine, machine, processes, short_size
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

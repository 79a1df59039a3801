"""A status, read into typed values."""

from __future__ import annotations

import pytest

from jsupervisor.initproto import Json
from jsupervisor.observer.status import parse

STATUS: dict[str, Json] = {
    "instance": "default",
    "profile": "vmx",
    "architecture": "modular",
    "init": {"pid": 10},
    "jlaunchd": {"pid": None, "incarnation": 2},
    "launcher": {"pid": 12, "incarnation": 1},
    "modules": [
        {"name": "rpd", "executable": "rpd", "pid": 13, "incarnation": 1, "state": "up"},
        {"name": "pfe0", "executable": "pfe", "pid": None, "state": "backoff", "socket": None},
    ],
}


def test_every_process_can_be_found_by_name() -> None:
    status = parse(STATUS)

    assert (13, "up") == (status.find("rpd").pid, status.find("rpd").state)
    assert (None, 2) == (status.find("jlaunchd").pid, status.find("jlaunchd").incarnation)
    assert 12 == status.find("launcher").pid
    with pytest.raises(KeyError):
        status.find("bgpd")


def test_all_are_up_when_there_are_some_and_each_is() -> None:
    modules = STATUS["modules"]
    assert isinstance(modules, list)

    assert not parse(STATUS).all_up
    assert parse({**STATUS, "modules": modules[:1]}).all_up
    assert not parse({**STATUS, "modules": []}).all_up


def test_nonsense_is_an_empty_status() -> None:
    assert () == parse({"modules": 7, "init": []}).modules

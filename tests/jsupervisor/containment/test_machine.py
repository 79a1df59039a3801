"""What this machine offers."""

from __future__ import annotations

import os
import sys

import pytest

from jsupervisor.containment import kernel, landlock, machine
from jsupervisor.containment.cgroups import Groups
from jsupervisor.containment.machine import Machine, code_paths, look


def test_each_layer_is_there_or_has_a_reason() -> None:
    here = look()

    assert bool(here.landlock) != bool(here.no_landlock)
    assert bool(here.seccomp) != bool(here.no_seccomp)
    assert bool(here.groups.unified) != bool(here.groups.why)
    assert not here.uids


def test_a_machine_that_lacks_everything_can_be_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(landlock, "abi", none)
    monkeypatch.setattr(kernel, "architecture", lambda: "riscv64")
    monkeypatch.setattr(machine, "find", lambda: Groups(why="none"))
    there = look()

    assert {
        "uids": "no: not asked for",
        "landlock": "no: Operation not supported",
        "seccomp": "no: no filter is known for riscv64",
        "cgroup": "no: none",
    } == there.words()


def test_words_say_what_there_is() -> None:
    there = Machine(landlock=7, seccomp="x86_64", no_uids="", groups=Groups(unified="/there"))

    assert {
        "uids": "one for each module",
        "landlock": "ABI 7",
        "seccomp": "x86_64",
        "cgroup": "/there",
    } == there.words()


def test_python_and_this_program_are_among_the_code() -> None:
    paths = code_paths()

    assert os.path.realpath(sys.base_prefix) in paths
    assert any(os.path.realpath(machine.__file__).startswith(f"{path}/") for path in paths)

"""Resource limits."""

from __future__ import annotations

import mmap
import os
import resource
from collections.abc import Callable

import pytest

from jsupervisor.containment import kernel, limits
from jsupervisor.containment.limits import Limits
from jsupervisor.containment.roles import ROLES

InChild = Callable[[Callable[[], object]], object]


def test_the_plan_goes_before_the_role() -> None:
    assert Limits(memory_mb=16384, files=1024, processes=256) == Limits.of(ROLES["rpd"], {})
    assert Limits(memory_mb=10, files=1024, processes=256, cpu_seconds=5, core_bytes=7) == (
        Limits.of(ROLES["rpd"], {"memory_mb": 10, "files": None, "cpu_seconds": 5, "core_bytes": 7})
    )


def test_who_is_not_confined_has_only_the_plans_limits() -> None:
    assert Limits() == Limits.of(ROLES["none"], {})


def test_memory_and_files_are_limited(in_child: InChild) -> None:
    def exceed() -> tuple[str, str]:
        Limits(memory_mb=4096, files=32).apply(own_uid=False)
        memory = files = "enough"
        try:
            mmap.mmap(-1, 5000 << 20)
        except OSError:
            memory = "too much"
        try:
            for _ in range(64):
                os.dup(2)
        except OSError:
            files = "too many"
        return memory, files

    assert ("too much", "too many") == in_child(exceed)


def test_a_limit_that_stands_is_never_raised(in_child: InChild) -> None:
    def limited() -> object:
        resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
        Limits(files=32, core_bytes=1 << 40).apply(own_uid=False)
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert (16, 16) == in_child(limited)


@pytest.mark.parametrize("own_uid", [True, False])
def test_processes_are_counted_only_where_the_uid_is_its_own(
    in_child: InChild, own_uid: bool
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NPROC)

    def limited() -> object:
        Limits(processes=7).apply(own_uid=own_uid)
        return resource.getrlimit(resource.RLIMIT_NPROC)

    assert ((7, 7) if own_uid else before) == in_child(limited)


def test_no_core_and_no_new_rights(in_child: InChild) -> None:
    def give_up() -> object:
        limits.no_core()
        limits.no_new_privs()
        core = resource.getrlimit(resource.RLIMIT_CORE)
        return core, kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS)

    assert ((0, 0), 1) == in_child(give_up)

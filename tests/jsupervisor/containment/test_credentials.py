"""Uids, gids and capabilities."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.containment import credentials
from jsupervisor.containment.credentials import (
    INSTANCE,
    PORTS,
    UID_BASE,
    UID_COUNT,
    Identity,
    allocate,
    why_not,
)

InChild = Callable[[Callable[[], object]], object]
ALL = (1 << 41) - 1
EVERYBODY = "         0          0 4294967295\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_numbers_are_the_same_at_every_start() -> None:
    code = (
        "from jsupervisor.containment.credentials import allocate; print(allocate('/h', ['rpd']))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert other == f"{allocate('/h', ['rpd'])}\n"


@given(st.lists(st.text("abcdefgh0123", min_size=1), unique=True, max_size=50), st.text())
def test_no_two_names_share_a_number(names: list[str], home: str) -> None:
    numbers = allocate(home, names)

    assert {INSTANCE, PORTS, *names} == set(numbers)
    assert len(numbers) == len(set(numbers.values()))
    assert all(UID_BASE <= number < UID_BASE + UID_COUNT for number in numbers.values())


def test_a_new_module_changes_nobodys_number() -> None:
    before = allocate("/h", ["rpd", "mgd"])

    assert before.items() <= allocate("/h", ["dcd", "rpd", "mgd"]).items()


def test_two_instances_have_numbers_of_their_own() -> None:
    assert not set(allocate("/a", ["rpd"]).values()) & set(allocate("/b", ["rpd"]).values())


def test_a_base_numbers_modules_in_the_profiles_order() -> None:
    assert {INSTANCE: 70000, PORTS: 70001, "rpd": 70002, "mgd": 70003} == (
        allocate("/h", ["rpd", "mgd"], 70000)
    )


@pytest.mark.parametrize(
    ("uid_map", "capabilities", "why"),
    [
        (EVERYBODY, ALL, ""),
        (EVERYBODY, 0, "not root: all modules run as the user who started them"),
        (EVERYBODY, 1 << 7, "not root: all modules run as the user who started them"),
        ("0 1000 1", ALL, "uids 100 to 200 are not mapped in this user namespace (see uid_base)"),
        ("0 1000 65536", ALL, ""),
        ("0 1000 150", ALL, "uids 100 to 200 are not mapped in this user namespace (see uid_base)"),
    ],
)
def test_uids_need_root_and_a_namespace_that_has_them(
    uid_map: str, capabilities: int, why: str
) -> None:
    assert why == why_not(100, 200, uid_map, capabilities)


def test_without_root_nothing_is_dropped(in_child: InChild) -> None:
    def drop() -> object:
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        before = os.getresuid()
        credentials.drop(None, (), 0)
        return before == os.getresuid()

    assert in_child(drop)


def state() -> tuple[object, ...]:
    """Who a process is and what it may."""
    kinds = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
    return (
        os.getresuid(),
        os.getresgid(),
        os.getgroups(),
        *(credentials.capabilities(kind) for kind in kinds),
    )


@needs_root
@pytest.mark.root
def test_a_module_becomes_its_uid_and_keeps_what_its_role_keeps(in_child: InChild) -> None:
    def drop() -> object:
        credentials.bound()
        held = credentials.capabilities()
        credentials.drop(Identity(70001, (70000, 70009)), ("CAP_NET_ADMIN",), held)
        return state()

    kept = 1 << 12
    assert ((70001,) * 3, (70001,) * 3, [70000, 70009], *[kept] * 5) == in_child(drop)


@needs_root
@pytest.mark.root
def test_there_is_no_way_back(in_child: InChild) -> None:
    def drop() -> object:
        credentials.bound()
        credentials.drop(Identity(70001, (70000,)), (), credentials.capabilities())
        os.setuid(0)
        return "root again"

    with pytest.raises(PermissionError):
        in_child(drop)


@needs_root
@pytest.mark.root
def test_root_without_uids_keeps_only_its_way_to_files(in_child: InChild) -> None:
    def drop() -> object:
        credentials.bound()
        credentials.drop(None, ("CAP_NET_RAW",), credentials.capabilities())
        return os.geteuid(), credentials.capabilities(), credentials.capabilities("CapBnd")

    kept = 1 << 13 | 1 << 1
    assert (0, kept, kept) == in_child(drop)


@needs_root
@pytest.mark.root
def test_a_capability_that_the_launcher_has_not_is_not_made_up(in_child: InChild) -> None:
    def drop() -> object:
        credentials.drop(Identity(70001, (70000,)), ("CAP_NET_ADMIN",), 0)
        return credentials.capabilities("CapPrm")

    assert 0 == in_child(drop)


def test_the_group_of_all_is_the_first_one() -> None:
    assert 5 == Identity(1, (5, 6)).group

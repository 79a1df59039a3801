"""Interfaces made, brought up and removed."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from jdaemons.pfe.ports import devices

Namespace = Callable[[Callable[[], None]], None]


def test_the_near_end_has_a_name_of_its_own_instance() -> None:
    names = {
        devices.near_name(run_dir, far) for run_dir in ("/run/a", "/run/b") for far in ("x", "y")
    }

    assert 4 == len(names)
    assert all(len(name) <= devices.IFNAME_MAX for name in names)


@pytest.mark.root
def test_a_pair_is_made_and_brought_up(in_namespace: Namespace) -> None:
    def work() -> None:
        devices.make_veth("a0", "b0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            before = devices.is_running(sock, "a0")
            devices.set_up("a0")
            devices.set_up("b0")
            after = devices.is_running(sock, "a0")
            unknown = devices.is_running(sock, "nosuch")

        assert (False, True, False) == (before, after, unknown)
        assert devices.exists("a0")
        assert not devices.exists("nosuch")

    in_namespace(work)


@pytest.mark.root
def test_what_cannot_be_made_is_told(in_namespace: Namespace) -> None:
    def work() -> None:
        devices.make_veth("a0", "b0")
        with pytest.raises(FileExistsError):
            devices.make_veth("a0", "c0")
        with pytest.raises(OSError):
            devices.set_up("nosuch")

    in_namespace(work)

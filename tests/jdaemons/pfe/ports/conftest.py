"""A store of descriptors, and batches to receive into and to send from."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from jdaemons.pfe.fakes import FakeStore
from jsupervisor.runtime.fakes import short_run_dir

CLONE_NEWNET = 0x40000000


@pytest.fixture
def store() -> Generator[FakeStore, None, None]:
    """An empty store."""
    kept = FakeStore()
    yield kept
    for fd in kept.fds.values():
        os.close(fd)


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    """A folder whose path is short enough for sockets."""
    with short_run_dir() as folder:
        yield folder


@pytest.fixture
def in_namespace() -> Callable[[Callable[[], None]], None]:
    """Runs a function in a network namespace of its own, which goes with the thread."""

    def run(work: Callable[[], None]) -> None:
        raised: list[BaseException] = []
        denied: list[bool] = []

        def enter() -> None:
            if ctypes.CDLL(None).unshare(CLONE_NEWNET):
                denied.append(True)
                return
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised in the test
                raised.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if denied:
            pytest.skip("needs root: a network namespace cannot be made")
        if raised:
            raise raised[0]

    return run

"""What the tests of the packet engine share."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from jdaemons.pfe.fakes import Bench, Init
from jsupervisor.runtime.fakes import short_run_dir


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    """A folder whose path is short enough for sockets."""
    with short_run_dir() as folder:
        yield folder


@pytest.fixture
def init() -> Generator[Init, None, None]:
    """The descriptor store."""
    keeper = Init()
    yield keeper
    keeper.close()


@pytest.fixture
def bench(run_dir: Path, init: Init) -> Generator[Bench, None, None]:
    """Where engines are put on."""
    stand = Bench(run_dir, init)
    yield stand
    stand.close()

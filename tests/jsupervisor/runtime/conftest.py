"""What the tests of the runtime share."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from jsupervisor.runtime.fakes import short_run_dir


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    """A folder whose path is short enough for sockets."""
    with short_run_dir() as folder:
        yield folder

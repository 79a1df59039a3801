"""A router of two modules that do nothing: enough to test the harness itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jsupervisor.testing import Router

TOY = """
[profile]
name = "toy"
policy = "never-give-up"

[program.rpd]
entry = "jsupervisor.runtime.daemon:Daemon"

[program.dcd]
entry = "jsupervisor.runtime.daemon:Daemon"
requires = ["rpd"]
"""


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the toy profile."""
    path: Path = tmp_path_factory.mktemp("profile") / "toy.toml"
    path.write_text(TOY)
    return str(path)


@pytest.fixture(scope="module")
def router(toy: str) -> Iterator[Router]:
    """One running toy router for the tests of a file."""
    with Router.boot(profile=toy) as router:
        yield router

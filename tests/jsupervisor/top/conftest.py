"""A router of two modules that do nothing, for what talks to a real one."""

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

[group.routing]
members = ["rpd", "dcd"]
"""


@pytest.fixture(scope="session")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    """One for all tests of this folder."""
    path: Path = tmp_path_factory.mktemp("profile") / "toy.toml"
    path.write_text(TOY)
    with Router.boot(profile=str(path)) as router:
        router.restart("rpd")  # jlaunchd answers operators when this is done
        yield router

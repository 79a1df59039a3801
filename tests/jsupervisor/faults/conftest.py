"""A router of two modules that do nothing, under a policy that forgives every fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.boot import make_plan
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.policy import Backoff, RestartPolicy
from jsupervisor.testing import Router

TOY = """
[profile]
name = "toy"

[program.rpd]
entry = "jsupervisor.runtime.daemon:Daemon"

[program.dcd]
entry = "jsupervisor.runtime.daemon:Daemon"
requires = ["rpd"]
"""
FORGIVING = RestartPolicy(intensity=None, backoff=Backoff(initial=0.0, factor=1.0, cap=0.0))


def toy_plan(folder: Path) -> Plan:
    """The plan of the toy router."""
    path = folder / "toy.toml"
    path.write_text(TOY)
    plan = make_plan(str(path))
    programs = tuple(replace(program, policy=FORGIVING) for program in plan.programs)
    return replace(plan, programs=programs)


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    """One running toy router for the tests of a file."""
    with Router.boot(plan=toy_plan(tmp_path_factory.mktemp("profile"))) as router:
        yield router


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Router]:
    """A toy router that the test may take down: its sockets are removed by the next start."""
    plan = toy_plan(tmp_path)
    manager = Router.boot(plan=plan, name="doomed", home=tmp_path)
    router = manager.__enter__()
    yield router
    router.stop()
    # Whoever comes next sweeps what the power failure left.
    with Router.boot(plan=plan, name="doomed", home=tmp_path, wait=False):
        pass

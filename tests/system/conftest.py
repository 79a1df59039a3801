"""Routers of real processes for the system tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from jsupervisor.boot import make_plan
from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs
from jsupervisor.demo.runner import UNLIMITED
from jsupervisor.testing import Router


@pytest.fixture(scope="module")
def vmx() -> Iterator[Router]:
    """A vmx with the demo's configuration that gives up nobody, for all tests of a file."""
    plan = make_plan("vmx")
    programs = tuple(replace(program, policy=UNLIMITED) for program in plan.programs)
    with Router.boot(plan=replace(plan, programs=programs), config=lab.config(Inputs())) as router:
        yield router

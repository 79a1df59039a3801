"""Words for shell completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from jsupervisor.cli.complete import (
    instance_names,
    known_modules,
    module_names,
    policy_names,
    profile_names,
    victims,
)
from jsupervisor.paths import instance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.jsupervisor.cli.conftest import MakeInit, MakeStatus

PARAMETER = click.Argument(["x"])


def context(**params: str) -> click.Context:
    made = click.Context(click.Command("x"))
    made.params = dict(params)
    return made


def test_modules_are_completed_by_each_of_their_names(
    make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", 1), module("pfe0", 2))

    assert ["rpd", "routing"] == module_names(context(), PARAMETER, "r")
    assert ["pfe0", "pfe"] == module_names(context(name="default"), PARAMETER, "pf")
    assert ["launcher"] == victims(context(), PARAMETER, "la")


@pytest.mark.parametrize("name", ["nobody", "../x"])
def test_an_instance_that_is_not_there_has_no_modules(home: Path, name: str) -> None:
    assert [] == module_names(context(name=name), PARAMETER, "")


def test_a_damaged_plan_has_no_modules(make_init: MakeInit) -> None:
    chosen = make_init().instance
    (chosen.home / "plan.json").write_text("{")

    assert [] == known_modules(chosen)


def test_the_modules_of_a_monolith_are_its_parts(home: Path) -> None:
    chosen = instance("default")
    chosen.home.mkdir(parents=True)
    (chosen.home / "plan.json").write_text(
        '{"programs": [{"name": "router", "executable": "router"}],'
        ' "parts": [{"name": "rpd", "executable": "rpd"}]}'
    )

    assert [("rpd", "rpd", "routing")] == known_modules(chosen)


def test_instances_profiles_and_policies_are_completed(make_init: MakeInit) -> None:
    make_init(name="r1"), make_init(name="r2"), make_init(name="x")

    assert ["r1", "r2"] == instance_names(context(), PARAMETER, "r")
    assert "vmx" in profile_names(context(), PARAMETER, "vm")
    assert ["junos"] == policy_names(context(), PARAMETER, "ju")

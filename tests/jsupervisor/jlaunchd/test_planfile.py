"""The plan on disk says what the plan said, and every order is made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jchassis import profile_names, profile_path
from jsupervisor.jlaunchd.plan import Architecture, as_monolith, as_restart_all, with_policy
from jsupervisor.jlaunchd.planfile import OrderPlace, dump_plan, make_order, read_plan
from jsupervisor.jlaunchd.profile import load_plan
from jsupervisor.runtime.order import Order

PLACE = OrderPlace("default", "/home", "/run", 17)


@pytest.mark.parametrize("name", profile_names())
@pytest.mark.parametrize("architecture", ["modular", "monolithic", "restart-all"])
@pytest.mark.parametrize("policy", ["junos", "never-give-up"])
def test_a_plan_comes_back_as_it_was(
    tmp_path: Path, name: str, architecture: Architecture, policy: str
) -> None:
    plan = with_policy(load_plan(profile_path(name)), policy)
    if architecture == "monolithic":
        plan = as_monolith(plan)
    if architecture == "restart-all":
        plan = as_restart_all(plan)
    path = tmp_path / "plan.json"
    path.write_text(dump_plan(plan), encoding="utf-8")

    assert plan == read_plan(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"programs": [{}], "parts": []}'])
def test_what_is_no_plan_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises((ValueError, KeyError, TypeError)):
        read_plan(path)


def test_an_order_says_all_that_a_module_must_know() -> None:
    plan = load_plan(profile_path("vmx"))
    order = make_order(plan, plan.program("pfectl0"), 3, PLACE)

    assert ("default", "pfectl0", "pfectl", 3) == (
        order.instance,
        order.name,
        order.executable,
        order.incarnation,
    )
    assert (0, 17, "vmx") == tuple(order.options[key] for key in ("fpc", "started_ns", "profile"))
    assert ("pfe0",) == order.shares
    assert plan.chassis == order.chassis
    assert () == order.parts


def test_the_monoliths_order_holds_the_order_of_every_part() -> None:
    modular = load_plan(profile_path("vmx"))
    plan = as_monolith(modular)
    order = make_order(plan, plan.programs[0], 1, PLACE)

    assert [program.name for program in modular.programs] == [part.name for part in order.parts]
    assert {()} == {part.parts for part in order.parts}
    assert order == Order.from_json(order.to_json())

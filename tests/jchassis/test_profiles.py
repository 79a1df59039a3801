"""The profiles that come with jsupervisor: each is a plan, and no daemon knows any of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jdaemons
from jchassis import profile_names, profile_path
from jsupervisor.cli.chassis_check import check_chassis
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.jlaunchd.profile import load_plan
from jsupervisor.runtime.chassis import all_ports, slots

ORDER = ["eventd", "alarmd", "chassisd", "mgd", "dcd", "rpd"]


def plan_of(name: str) -> Plan:
    return load_plan(profile_path(name))


def test_these_are_the_profiles_that_there_are() -> None:
    assert ["mx240", "vmx"] == profile_names()


@pytest.mark.parametrize("name", ["nonsense", "", "../jchassis/vmx"])
def test_a_profile_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        profile_path(name)


@pytest.mark.parametrize("name", profile_names())
def test_a_profile_is_called_as_its_file_and_holds_a_sound_chassis(name: str) -> None:
    plan = plan_of(name)
    ports = check_chassis(name, plan.chassis)

    assert name == plan.profile
    assert plan.description
    assert len(all_ports(plan.chassis)) == ports > 0
    assert {} == plan.ports


@pytest.mark.parametrize("name", profile_names())
def test_the_daemons_stand_in_the_order_that_status_prints_and_each_fpc_has_its_pair(
    name: str,
) -> None:
    plan = plan_of(name)
    numbers = [fpc.number for fpc in slots(plan.chassis, "fpc")]
    pairs = [program for number in numbers for program in (f"pfe{number}", f"pfectl{number}")]

    assert ORDER + pairs == [program.name for program in plan.programs]


@pytest.mark.parametrize("name", profile_names())
def test_what_a_program_requires_is_what_it_needs_to_become_ready(name: str) -> None:
    """chassisd waits for links and pfectl for the forwarding table: neither may be required there."""
    plan = plan_of(name)
    requires = {program.name: set(program.requires) for program in plan.programs}

    assert {"chassisd", "mgd"} == requires["dcd"]
    assert {"dcd", "mgd"} == requires["rpd"]
    for fpc in slots(plan.chassis, "fpc"):
        control, engine = plan.program(f"pfectl{fpc.number}"), plan.program(f"pfe{fpc.number}")
        assert {f"pfe{fpc.number}"} == set(control.requires)
        assert set() == set(engine.requires)
        assert {"fpc": fpc.number, "engine": engine.name} == control.options
        assert {"fpc": fpc.number} == engine.options
        assert ("pfectl", "full", "pfe", "lean") == (
            control.executable,
            control.stage,
            engine.executable,
            engine.stage,
        )


@pytest.mark.parametrize("name", profile_names())
def test_every_program_is_restarted_by_the_rule_of_junos(name: str) -> None:
    plan = plan_of(name)

    assert {POLICIES["junos"]} == {program.policy for program in plan.programs}


def test_the_slots_of_mx240_are_not_simply_counted() -> None:
    plan = plan_of("mx240")
    ports = [port.name for port in all_ports(plan.chassis)]

    assert [1, 2] == [fpc.number for fpc in slots(plan.chassis, "fpc")]
    assert [0, 1] == [engine.number for engine in slots(plan.chassis, "routing_engine")]
    assert {"ge-1/0/0", "ge-1/1/9", "xe-2/0/1"} <= set(ports)


def test_no_daemon_names_a_chassis() -> None:
    names = re.compile("|".join(rf"[\"']{name}[\"']" for name in profile_names()))
    sources = Path(next(iter(jdaemons.__path__))).rglob("*.py")

    assert [] == [str(path) for path in sources if names.search(path.read_text())]

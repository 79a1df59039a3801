"""What an order says of containment, from the profile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jchassis import profile_path
from jsupervisor.containment.credentials import INSTANCE, PORTS, UID_BASE
from jsupervisor.jlaunchd.confinement import check_roles, confinement, uids
from jsupervisor.jlaunchd.plan import Containment, Limits, Plan, as_monolith
from jsupervisor.jlaunchd.profile import load_plan, parse_plan
from jsupervisor.jlaunchd.reader import PlanError

PROGRAM = '[profile]\nname = "x"\n[program.one]\nentry = "a.b:C"\n'


@pytest.fixture
def plan() -> Plan:
    """The vmx."""
    return load_plan(profile_path("vmx"))


def test_an_order_names_role_limits_and_numbers(plan: Plan) -> None:
    limits = Limits(memory_mb=100)
    rpd = replace(plan.program("rpd"), confine="worker", limits=limits)
    numbers = uids(plan, "/home")
    told = confinement(plan, rpd, "/home")

    assert ("worker", numbers["rpd"], [numbers[INSTANCE]]) == (
        *(told["role"], told["uid"]),
        told["groups"],
    )
    assert isinstance(told["limits"], dict)
    assert 100 == told["limits"]["memory_mb"]


def test_those_with_ports_have_the_group_that_makes_sockets(plan: Plan) -> None:
    numbers = uids(plan, "/home")

    assert [numbers[INSTANCE], numbers[PORTS]] == (
        confinement(plan, plan.program("pfe0"), "/home")["groups"]
    )


def test_a_reload_leaves_every_number_as_it_is(plan: Plan) -> None:
    fewer = replace(plan, programs=plan.programs[2:])

    assert uids(fewer, "/home").items() <= uids(plan, "/home").items()


def test_the_profile_may_give_the_first_number(plan: Plan) -> None:
    based = replace(plan, containment=Containment(uid_base=5000))

    assert 5000 == uids(based, "/home")[INSTANCE]
    assert {5002 + index for index in range(len(plan.programs))} == {
        uids(based, "/home")[program.name] for program in plan.programs
    }


def test_a_monolith_has_one_uid_and_the_ports_of_its_parts(plan: Plan) -> None:
    whole = as_monolith(plan)
    told = confinement(whole, whole.programs[0], "/home")

    assert uids(whole, "/home")["router"] == told["uid"]
    assert isinstance(told["groups"], list)
    assert 2 == len(told["groups"])


def test_the_profile_says_whether_there_are_uids_and_cgroups() -> None:
    text = PROGRAM + "[containment]\nuids = true\nuid_base = 70000\ncgroups = false\n"

    assert Containment(uids=True, uid_base=70000, cgroups=False) == (
        parse_plan(text, "x.toml").containment
    )
    assert Containment() == parse_plan(PROGRAM, "x.toml").containment
    assert UID_BASE <= min(uids(parse_plan(PROGRAM, "x.toml"), "/home").values())


def test_limits_of_a_cgroup_are_read() -> None:
    text = PROGRAM + "limits = { resident_mb = 64, cpu_percent = 50 }\n"
    limits = parse_plan(text, "x.toml").programs[0].limits

    assert (64, 50) == (limits.resident_mb, limits.cpu_percent)


def test_a_role_that_is_none_is_refused(plan: Plan) -> None:
    wrong = replace(plan, programs=(replace(plan.programs[0], confine="nobody"),))

    with pytest.raises(PlanError, match=r"program\.eventd\.confine: 'nobody' is not a role"):
        check_roles(wrong)
    with pytest.raises(PlanError, match="cannot use profile"):
        parse_plan(PROGRAM + 'confine = "nobody"\n', "x.toml")

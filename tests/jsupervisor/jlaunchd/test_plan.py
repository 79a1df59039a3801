"""The plan as a value: what `start` and an operator may change of it, and in what order it can start."""

from __future__ import annotations

import pytest

from jsupervisor.jlaunchd.plan import (
    MONOLITH,
    as_monolith,
    as_restart_all,
    check_order,
    port_exists,
    with_policy,
    with_ports,
    with_rule,
)
from jsupervisor.jlaunchd.policy import POLICIES, RestartPolicy
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.jlaunchd.reader import PlanError

HEAD = '[profile]\nname = "p"\n'
ONE = '[program.one]\nentry = "a.b:C"\n'
FULL = """
[profile]
name = "full"
description = "everything said"
policy = "systemd"

[chassis]
model = "m"
[[chassis.fpc]]
slot = 0
[[chassis.fpc.pic]]
slot = 0
ports = 2

[ports]
"ge-0/0/1" = "udp:1000,2000"

[program.one]
entry = "a.b.c:D"
executable = "x"
restart = "transient"
stage = "lean"
launch = "exec"
heartbeat = false
start_timeout = 7
stop_timeout = 0.5
options = { fpc = 0 }
shares = ["two"]

[program.two]
entry = "a:B"
requires = ["one"]
heartbeat = { interval = 1.0, misses = 5 }

[program.three]
entry = "a:B"
heartbeat = true

[group.g]
members = ["two", "three"]
strategy = "one_for_one"
intensity = 0
period = 60
backoff = { initial = 0.1, factor = 3.0, cap = 2.0, jitter = 0.2 }
"""


def test_a_policy_of_the_order_holds_for_every_program() -> None:
    plan = with_policy(parse_plan(FULL, "full.toml"), "erlang")

    assert "erlang" == plan.policy
    assert {POLICIES["erlang"]} == {program.policy for program in plan.programs}
    with pytest.raises(PlanError, match="cannot use policy 'x': there are junos, "):
        with_policy(plan, "x")


def test_ports_of_the_order_come_on_top() -> None:
    plan = with_ports(parse_plan(FULL, "full.toml"), {"ge-0/0/0": "tap:t0"})

    assert {"ge-0/0/0": "tap:t0", "ge-0/0/1": "udp:1000,2000"} == plan.ports
    with pytest.raises(PlanError, match=r"cannot use port ge-0/0/2: the profile full has no such"):
        with_ports(plan, {"ge-0/0/2": "tap:t0"})
    with pytest.raises(PlanError, match=r"^cannot use port spec 'pigeon:1'"):
        with_ports(plan, {"ge-0/0/0": "pigeon:1"})


@pytest.mark.parametrize(
    ("name", "there"),
    [("ge-0/0/0", True), ("ge-0/0/1", True), ("ge-0/0/2", False), ("xe-0/0/0", False), ("", False)],
)
def test_a_port_exists_when_the_chassis_lists_it(name: str, there: bool) -> None:
    assert there is port_exists(parse_plan(FULL, "full.toml").chassis, name)


def test_the_monolith_is_one_program_that_may_use_every_share() -> None:
    plan = parse_plan(FULL, "full.toml")
    monolith = as_monolith(plan)

    assert [MONOLITH] == [program.name for program in monolith.programs]
    assert plan.programs == monolith.parts
    assert "monolithic" == monolith.architecture
    assert ("one", "three", "two") == monolith.programs[0].shares


def test_restart_all_has_the_same_programs_in_one_group_without_an_order() -> None:
    plan = parse_plan(FULL, "full.toml")
    all_one = as_restart_all(plan)
    tree = all_one.tree()

    assert [p.name for p in plan.programs] == [p.name for p in all_one.programs]
    assert "restart-all" == all_one.architecture
    for program in all_one.programs:
        assert {p.name for p in plan.programs} == set(tree.affected(program.name))
        assert frozenset() == tree.earlier(program.name)


def test_a_monolith_of_lean_programs_alone_is_one_all_the_same() -> None:
    plan = parse_plan(HEAD + ONE + 'stage = "lean"\n', "p.toml")

    assert [MONOLITH] == [program.name for program in as_monolith(plan).programs]


def test_a_policy_may_be_for_one_program_which_is_then_judged_alone() -> None:
    plan = with_policy(parse_plan(FULL, "full.toml"), "never-give-up", "two")

    assert [POLICIES["systemd"], POLICIES["never-give-up"], plan.groups[0].policy] == [
        program.policy for program in plan.programs
    ]
    assert [True, True, False] == [program.judged_alone for program in plan.programs]
    assert "systemd" == plan.policy


def test_a_policy_may_be_for_a_group() -> None:
    rule = RestartPolicy(9, 9.0)
    plan = with_rule(parse_plan(FULL, "full.toml"), rule, "g")

    assert [rule] == [group.policy for group in plan.groups]


def test_a_policy_for_nobody_is_refused_with_the_known_names() -> None:
    with pytest.raises(
        PlanError, match=r"cannot find module or group 'x': there are one, two, .* g"
    ):
        with_policy(parse_plan(FULL, "full.toml"), "junos", "x")


def test_the_order_in_a_group_may_not_contradict_what_is_required() -> None:
    text = HEAD + ONE + '[program.two]\nentry = "a:B"\nrequires = ["one"]\n'
    group = '[group.g]\nmembers = ["two", "one"]\nstrategy = "%s"\n'

    assert "" == check_order(parse_plan(text + group % "one_for_one", "p"))
    with pytest.raises(PlanError, match="program: these require one another in a circle: one, two"):
        parse_plan(text + group % "rest_for_one", "p")

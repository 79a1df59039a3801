"""What an order tells a launcher about containment: role, limits and numbers of each program of a plan."""

from __future__ import annotations

from dataclasses import asdict

from jsupervisor.containment.credentials import INSTANCE, PORTS, allocate
from jsupervisor.containment.roles import ROLES, role_of
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Plan, Program
from jsupervisor.jlaunchd.reader import PlanError


def check_roles(plan: Plan) -> None:
    """Raise PlanError for a program that names a role which is none."""
    for program in plan.programs:
        if program.confine and program.confine not in ROLES:
            key = f"program.{program.name}.confine"
            raise PlanError(
                f"cannot use profile {plan.profile}: {key}: {program.confine!r} is not a role:"
                f" there are {', '.join(ROLES)}"
            )


def uids(plan: Plan, home: str) -> dict[str, int]:
    """The number of each program, of the instance and of those with ports, by name."""
    return allocate(home, [program.name for program in plan.programs], plan.containment.uid_base)


def confinement(plan: Plan, program: Program, home: str) -> dict[str, Json]:
    """The field `confinement` of an order; `uid` and `groups` count where modules have uids at all."""
    numbers = uids(plan, home)
    parts = [part.executable for part in plan.parts] if program.entry == "monolith" else []
    role = role_of(program.confine, program.executable, parts)
    groups = [numbers[INSTANCE], *([numbers[PORTS]] if role.ports else [])]
    return {
        "role": program.confine,
        "limits": asdict(program.limits),
        "uid": numbers.get(program.name, numbers[INSTANCE]),
        "groups": groups,
    }

"""How a plan comes about, at the start and at every reload: what the file says, and what `start` chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jsupervisor.jlaunchd.plan import (
    Architecture,
    Plan,
    Program,
    as_monolith,
    as_restart_all,
    with_policy,
    with_ports,
    without_heartbeats,
)
from jsupervisor.jlaunchd.reader import PlanError


@dataclass(frozen=True, slots=True)
class Difference:
    """What a reload means for the programs, by name."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    """Otherwise started from now on; those that run go on as they are."""


def resolve(
    source: Path,
    *,
    policy: str = "",
    ports: Mapping[str, str] | None = None,
    architecture: Architecture = "modular",
) -> Plan:
    """The plan of a start order for the profile at `source`; raises PlanError."""
    from jsupervisor.jlaunchd.profile import load_plan

    return _choose(load_plan(source), source, policy, ports or {}, architecture)


def resolve_programs(source: Path, *, policy: str = "") -> Plan:
    """The plan of a start order for the file of programs at `source`; raises PlanError."""
    from jsupervisor.jlaunchd.supervisefile import load_programs

    return _choose(load_programs(source), source, policy, {}, "modular")


def reread(plan: Plan) -> Plan:
    """The plan as its file says it now, with the same choices; raises PlanError."""
    if not plan.source:
        raise PlanError("cannot reload: this plan was not read from a file")
    source = Path(plan.source)
    if any(program.foreign for program in plan.programs):
        new = resolve_programs(source, policy=plan.chosen_policy)
    else:
        new = resolve(
            source,
            policy=plan.chosen_policy,
            ports=plan.chosen_ports,
            architecture=plan.architecture,
        )
    new = new if plan.heartbeats else without_heartbeats(new)
    return replace(new, metrics=plan.metrics)  # whoever scrapes is not sent elsewhere


def _choose(
    plan: Plan, source: Path, policy: str, ports: Mapping[str, str], architecture: Architecture
) -> Plan:
    plan = replace(plan, source=str(source.absolute()), chosen_policy=policy, chosen_ports=ports)
    if policy:
        plan = with_policy(plan, policy)
    plan = with_ports(plan, ports)
    match architecture:
        case "monolithic":
            return as_monolith(plan)
        case "restart-all":
            return as_restart_all(plan)
        case _:
            return plan


def difference(old: Plan, new: Plan) -> Difference:
    """What changes from one plan to the other."""
    before = {program.name: program for program in old.programs}
    after = {program.name: program for program in new.programs}
    surroundings = (old.chassis, old.ports, old.parts) != (new.chassis, new.ports, new.parts)
    return Difference(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(
            name
            for name in after
            if name in before and (surroundings or _start(before[name]) != _start(after[name]))
        ),
    )


def _start(program: Program) -> tuple[object, ...]:
    """What matters only when the program is started."""
    return (
        *(program.executable, program.entry, program.stage, program.launch, program.options),
        *(program.shares, program.heartbeat, program.limits, program.confine, program.foreign),
    )

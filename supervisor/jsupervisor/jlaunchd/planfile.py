"""The resolved plan on disk: what `start` decided, for every jlaunchd of the instance's life."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Heartbeat, Plan, Program
from jsupervisor.jlaunchd.policy import Backoff, RestartPolicy
from jsupervisor.runtime.order import Order


@dataclass(frozen=True, slots=True)
class OrderPlace:
    """What every order of one instance shares."""

    instance: str
    home: str
    run_dir: str
    started_ns: int
    """CLOCK_MONOTONIC of init's start."""


def dump_plan(plan: Plan) -> str:
    """The plan as JSON text."""
    return json.dumps(asdict(plan), indent=1, sort_keys=True)


def read_plan(path: Path) -> Plan:
    """The plan that `dump_plan` wrote to `path`; raises OSError, ValueError, KeyError or TypeError."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    for key in ("programs", "parts"):
        fields[key] = tuple(_program(program) for program in fields[key])
    return Plan(**fields)


def _program(fields: dict[str, Json]) -> Program:
    policy = dict(_object(fields.pop("policy")))
    heartbeat = fields.pop("heartbeat")
    backoff = Backoff(**_object(policy.pop("backoff")))  # type: ignore[arg-type]
    values: dict[str, object] = {
        **fields,
        "requires": tuple(_list(fields["requires"])),
        "shares": tuple(_list(fields["shares"])),
        "policy": RestartPolicy(**policy, backoff=backoff),  # type: ignore[arg-type]
        "heartbeat": None if heartbeat is None else Heartbeat(**_object(heartbeat)),  # type: ignore[arg-type]
    }
    return Program(**values)  # type: ignore[arg-type]


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def make_order(plan: Plan, program: Program, incarnation: int, place: OrderPlace) -> Order:
    """What the process of `program` is told."""
    return Order(
        instance=place.instance,
        name=program.name,
        executable=program.executable,
        incarnation=incarnation,
        entry=program.entry,
        architecture=plan.architecture,
        run_dir=place.run_dir,
        home=place.home,
        options={**program.options, "started_ns": place.started_ns, "profile": plan.profile},
        chassis=plan.chassis,
        ports=plan.ports,
        shares=program.shares,
        parts=tuple(make_order(plan, part, incarnation, place) for part in _parts(plan, program)),
    )


def _parts(plan: Plan, program: Program) -> tuple[Program, ...]:
    return plan.parts if program.entry == "monolith" else ()

"""The resolved plan on disk: what `start` decided, for every jlaunchd of the instance's life."""

from __future__ import annotations

import hashlib
import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.confinement import confinement
from jsupervisor.jlaunchd.plan import Foreign, Plan, Program
from jsupervisor.runtime.order import Order

PLAN: Final = "plan.json"
"""The file in the instance's folder."""


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


def write_plan(plan: Plan, path: Path) -> None:
    """Put the plan in the place of the one at `path`, whole or not at all; raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(dump_plan(plan))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_plan(path: Path) -> Plan:
    """The plan that `dump_plan` wrote to `path`; raises OSError, ValueError, KeyError or TypeError."""
    plan = _Reader().revive(Plan, json.loads(path.read_text(encoding="utf-8")))
    assert isinstance(plan, Plan)
    return plan


def plan_mark(path: Path) -> str:
    """Which plan this is: a short digest of the file; "" when there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError:
        return ""


class _Reader:
    """Makes values out of what `asdict` and JSON have made of them; knows each class's types once."""

    def __init__(self) -> None:
        self._hints: dict[type, Mapping[str, object]] = {}

    def revive(self, kind: object, value: object) -> object:
        """A value of type `kind`, as it was; raises TypeError."""
        if isinstance(kind, type) and is_dataclass(kind):
            if not isinstance(value, dict):
                raise TypeError(f"{value!r} is not an object")
            hints = self._hints_of(kind)
            return kind(**{name: self.revive(hints.get(name), v) for name, v in value.items()})
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple:
            if not isinstance(value, list):
                raise TypeError(f"{value!r} is not a list")
            return tuple([self.revive(arguments[0], item) for item in value])
        if origin is Mapping and isinstance(value, dict):
            return {name: self.revive(arguments[1], item) for name, item in value.items()}
        if origin in (typing.Union, types.UnionType) and value is not None:
            inner = next((one for one in arguments if is_dataclass(one)), None)
            return value if inner is None else self.revive(inner, value)
        return value

    def _hints_of(self, kind: type) -> Mapping[str, object]:
        if kind not in self._hints:
            self._hints[kind] = typing.get_type_hints(kind)
        return self._hints[kind]


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
        options={
            **program.options,
            "started_ns": place.started_ns,
            "profile": plan.profile,
            "log": {"size": plan.log.size, "files": plan.log.files},
        },
        chassis=plan.chassis,
        ports=plan.ports,
        shares=program.shares,
        parts=tuple(make_order(plan, part, incarnation, place) for part in _parts(plan, program)),
        confinement=confinement(plan, program, place.home),
    )


def start_order(
    plan: Plan, program: Program, incarnation: int, place: OrderPlace
) -> dict[str, Json]:
    """What init, or through it a launcher, needs to start the program."""
    if program.foreign is not None:
        return {
            "instance": place.instance,
            "name": program.name,
            "executable": program.executable,
            "foreign": _foreign(program.foreign, program, place),
        }
    order = make_order(plan, program, incarnation, place)
    return {**order.to_json(), "stage": program.stage, "launch": program.launch}


def _foreign(foreign: Foreign, program: Program, place: OrderPlace) -> dict[str, Json]:
    order: dict[str, Json] = {
        "command": list(foreign.command),
        "readiness": foreign.readiness,
        "env": dict(foreign.env),
        "cwd": foreign.cwd,
        "user": foreign.user,
        "limits": asdict(program.limits),
        "log": f"{place.home}/log/{program.name}.log",
    }
    if program.heartbeat is not None:
        # Programs send their signs twice as often as they are told to (sd_watchdog_enabled(3)).
        order["watchdog_usec"] = int(2e6 * program.heartbeat.interval)
    return order


def _parts(plan: Plan, program: Program) -> tuple[Program, ...]:
    return plan.parts if program.entry == "monolith" else ()

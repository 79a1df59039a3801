"""A profile, read from TOML into a frozen plan: validated whole, or refused with one clear line.

The supervisor knows modules by name only; a profile says which there are and how to start them.
The format is described in docs/how-to/add-a-profile.md.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.policy import POLICIES, REMEMBERED, Backoff, RestartPolicy
from jsupervisor.jlaunchd.reader import PlanError, Section
from jsupervisor.paths import NAME_PATTERN
from jsupervisor.runtime.chassis import all_ports
from jsupervisor.runtime.portspec import parse_port_spec

Restart = Literal["permanent", "transient", "temporary"]
Stage = Literal["full", "lean"]
Launch = Literal["fork", "exec"]
Architecture = Literal["modular", "monolithic"]

MONOLITH: Final = "router"
PROGRAM_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
"""Without dots: NAME.1.sock must be nobody else's socket."""
TAKEN: Final = frozenset({"init", "jlaunchd", "launcher", "launcher-full", "operator", MONOLITH})
"""Names of what is no module."""
MAX_MISSES: Final = 1000


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How often a module is asked for a sign of life (seconds), and how many it may miss."""

    interval: float = 0.25
    misses: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One module: what it is, what it needs, how it is started and watched."""

    name: str
    executable: str
    entry: str
    requires: tuple[str, ...] = ()
    restart: Restart = "permanent"
    stage: Stage = "full"
    launch: Launch = "fork"
    heartbeat: Heartbeat | None = Heartbeat()
    start_timeout: float = 30.0
    stop_timeout: float = 5.0
    options: Mapping[str, Json] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    policy: RestartPolicy = POLICIES["junos"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything an instance is started from. Programs stand in the profile's order."""

    profile: str
    description: str
    policy: str
    programs: tuple[Program, ...]
    chassis: Mapping[str, Json]
    ports: Mapping[str, str]
    architecture: Architecture = "modular"
    parts: tuple[Program, ...] = ()
    """Monolithic: the modules inside the one program."""

    def program(self, name: str) -> Program:
        """The program called `name`; raises KeyError."""
        for program in self.programs:
            if program.name == name:
                return program
        raise KeyError(name)


def load_plan(path: Path) -> Plan:
    """Read the profile at `path`; raises PlanError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise PlanError(f"cannot read profile {path}: {why}") from error
    return parse_plan(text, str(path))


def parse_plan(text: str, source: str) -> Plan:
    """The plan in `text`; raises PlanError that names `source` and the key."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML; a number or nesting without end
        raise PlanError(f"cannot read profile {source}: {error}") from error
    top = Section(source, "", document)
    profile = top.section("profile")
    name = profile.string("name")
    if not NAME_PATTERN.fullmatch(name):
        raise profile.error("name", f"{name!r} is not a name: lower-case letters, digits, - and _")
    policy_name = profile.choice("policy", tuple(POLICIES), "junos")
    description = profile.string("description", "")
    profile.done()
    programs = [_program(section) for section in top.named_sections("program")]
    if not programs:
        raise top.error("program", "there is none: a profile has at least one [program.NAME]")
    policies = _group_policies(top, {program.name for program in programs})
    default = POLICIES[policy_name]
    chassis = top.table("chassis")
    plan = Plan(
        profile=name,
        description=description,
        policy=policy_name,
        programs=tuple(replace(p, policy=policies.get(p.name, default)) for p in programs),
        chassis=chassis,
        ports=_ports(top, chassis),
    )
    top.done()
    _check_requirements(top, plan)
    return plan


def with_policy(plan: Plan, policy: str) -> Plan:
    """The plan with every program under a named policy; raises PlanError."""
    if policy not in POLICIES:
        known = ", ".join(POLICIES)
        raise PlanError(f"cannot use policy {policy!r}: there are {known}")
    programs = tuple(replace(program, policy=POLICIES[policy]) for program in plan.programs)
    return replace(plan, programs=programs, policy=policy)


def with_ports(plan: Plan, ports: Mapping[str, str]) -> Plan:
    """The plan with port specifications added; raises PlanError for a bad one or an unknown port."""
    for name, spec in ports.items():
        if not port_exists(plan.chassis, name):
            raise PlanError(f"cannot use port {name}: the profile {plan.profile} has no such port")
        try:
            parse_port_spec(spec)
        except ValueError as error:
            raise PlanError(str(error)) from error
    return replace(plan, ports={**plan.ports, **ports})


def as_monolith(plan: Plan) -> Plan:
    """The control experiment: one program that hosts every module of the plan."""
    first = next((p for p in plan.programs if p.stage == "full"), plan.programs[0])
    router = Program(
        name=MONOLITH,
        executable=MONOLITH,
        entry="monolith",
        shares=tuple(sorted({share for p in plan.programs for share in (p.name, *p.shares)})),
        policy=first.policy,
        heartbeat=first.heartbeat,
    )
    return replace(plan, architecture="monolithic", programs=(router,), parts=plan.programs)


def port_exists(chassis: Mapping[str, Json], name: str) -> bool:
    """Does the chassis have an interface of this name, e.g. ge-0/0/1?"""
    return any(port.name == name for port in all_ports(chassis))


def _program(section: Section) -> Program:
    name = section.key
    if not PROGRAM_NAME.fullmatch(name):
        raise section.error("", f"{name!r} is not a name: lower-case letters, digits, - and _")
    if name in TAKEN:
        raise section.error("", f"{name!r} is taken: call the program otherwise")
    entry = section.string("entry")
    module, colon, attribute = entry.partition(":")
    parts = [attribute, *module.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        raise section.error("entry", f"{entry!r} is not PACKAGE.MODULE:CLASS")
    program = Program(
        name=name,
        executable=section.string("executable", name),
        entry=entry,
        requires=section.strings("requires"),
        restart=section.choice("restart", ("permanent", "transient", "temporary"), "permanent"),
        stage=section.choice("stage", ("full", "lean"), "full"),
        launch=section.choice("launch", ("fork", "exec"), "fork"),
        heartbeat=_heartbeat(section),
        start_timeout=section.seconds("start_timeout", 30.0, least=0.1),
        stop_timeout=section.seconds("stop_timeout", 5.0),
        options=section.table("options"),
        shares=section.strings("shares"),
    )
    section.done()
    return program


def _heartbeat(section: Section) -> Heartbeat | None:
    """`heartbeat = false` switches it off."""
    if section.flag("heartbeat", default=True) is False:
        return None
    table = section.section("heartbeat", optional=True)
    heartbeat = Heartbeat(
        table.seconds("interval", 0.25, least=0.01),
        table.count("misses", 3, least=1, most=MAX_MISSES),
    )
    table.done()
    return heartbeat


def _group_policies(top: Section, programs: set[str]) -> dict[str, RestartPolicy]:
    policies: dict[str, RestartPolicy] = {}
    for group in top.named_sections("group"):
        members = group.strings("members")
        for member in members:
            if member not in programs:
                raise group.error("members", f"{member!r} is not a program")
            if member in policies:
                raise group.error("members", f"{member!r} is in another group already")
        strategy = group.string("strategy", "one_for_one")
        if strategy != "one_for_one":
            raise group.error("strategy", f"{strategy!r} is not one_for_one, the only one there is")
        policy = RestartPolicy(
            intensity=group.count("intensity", 3, least=0, most=REMEMBERED - 1),
            period=group.seconds("period", 30.0),
            backoff=_backoff(group.section("backoff", optional=True)),
        )
        group.done()
        policies.update(dict.fromkeys(members, policy))
    return policies


def _backoff(section: Section) -> Backoff:
    backoff = Backoff(
        initial=section.seconds("initial", 0.0),
        factor=section.number("factor", 2.0, least=1.0),
        cap=section.seconds("cap", 5.0 if section.names() else 0.0),
        jitter=section.number("jitter", 0.0, least=0.0, most=1.0),
    )
    section.done()
    return backoff


def _ports(top: Section, chassis: Mapping[str, Json]) -> dict[str, str]:
    section = top.section("ports", optional=True)
    ports = {name: section.string(name) for name in section.names()}
    for name, spec in ports.items():
        if not port_exists(chassis, name):
            raise section.error(name, "the chassis has no such port")
        try:
            parse_port_spec(spec)
        except ValueError as error:
            raise section.error(name, str(error)) from error
    return ports


def _check_requirements(top: Section, plan: Plan) -> None:
    names = {program.name for program in plan.programs}
    for program in plan.programs:
        for required in program.requires:
            if required not in names:
                key = f"program.{program.name}.requires"
                raise top.error(key, f"{required!r} is not a program")
    done: set[str] = set()
    while len(done) < len(names):
        free = {p.name for p in plan.programs if p.name not in done and done.issuperset(p.requires)}
        if not free:
            circle = ", ".join(sorted(names - done))
            raise top.error("program", f"these require one another in a circle: {circle}")
        done |= free

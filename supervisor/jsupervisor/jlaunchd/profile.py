"""A profile, read from TOML into a frozen plan: validated whole, or refused with one clear line.

The format is described in docs/how-to/add-a-profile.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.confinement import check_roles
from jsupervisor.jlaunchd.groupreader import read_groups, read_policy
from jsupervisor.jlaunchd.groups import Group
from jsupervisor.jlaunchd.plan import (
    PROGRAM_NAME,
    SAVED_CORE_FILES,
    TAKEN,
    Containment,
    Heartbeat,
    Limits,
    Plan,
    Program,
    check_order,
    port_exists,
)
from jsupervisor.jlaunchd.policy import POLICIES, RestartPolicy
from jsupervisor.jlaunchd.reader import PlanError, Section
from jsupervisor.jlaunchd.watchreader import read_listen, read_log
from jsupervisor.paths import NAME_PATTERN
from jsupervisor.runtime.portspec import parse_port_spec

MAX_MISSES: Final = 1000
HOOKS: Final = ("alternate-media", "other-routing-engine")


def load_plan(path: Path) -> Plan:
    """Read the profile at `path`; raises PlanError."""
    return parse_plan(read_text(path, "profile"), str(path))


def read_text(path: Path, what: str) -> str:
    """The text of a file of `what`; raises PlanError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise PlanError(f"cannot read {what} {path}: {why}") from error


def parse_plan(text: str, source: str) -> Plan:
    """The plan in `text`; raises PlanError that names `source` and the key."""
    top = Section(source, "", parse_toml(text, f"profile {source}"))
    profile = top.section("profile")
    name = profile.string("name")
    if not NAME_PATTERN.fullmatch(name):
        raise profile.error("name", f"{name!r} is not a name: lower-case letters, digits, - and _")
    policy_name = profile.choice("policy", tuple(POLICIES), "junos")
    description = profile.string("description", "")
    standby = profile.boolean("standby", default=False)
    profile.done()
    own: dict[str, RestartPolicy] = {}
    programs = [_program(section, own) for section in top.named_sections("program")]
    if not programs:
        raise top.error("program", "there is none: a profile has at least one [program.NAME]")
    groups = read_groups(top, {program.name for program in programs})
    chassis = top.table("chassis")
    plan = Plan(
        profile=name,
        description=description,
        standby=standby,
        policy=policy_name,
        programs=tuple(judged(p, own, groups, POLICIES[policy_name]) for p in programs),
        groups=groups,
        hooks=_hooks(top),
        log=read_log(top),
        metrics=read_listen(top),
        chassis=chassis,
        ports=_ports(top, chassis),
        containment=_containment(top),
    )
    check_roles(plan)
    top.done()
    check_requirements(top, plan)
    return plan


def parse_toml(text: str, what: str) -> dict[str, object]:
    """The document in `text`; raises PlanError."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # not TOML; a number or nesting without end
        raise PlanError(f"cannot read {what}: {error}") from error


def judged(
    program: Program,
    own: Mapping[str, RestartPolicy],
    groups: tuple[Group, ...],
    default: RestartPolicy,
) -> Program:
    """The program with the policy that judges it: its own, its group's or the file's."""
    if program.name in own:
        return replace(program, policy=own[program.name])
    for group in groups:
        if program.name in group.members:
            return replace(program, policy=group.policy, judged_alone=False)
    return replace(program, policy=default)


def read_name(section: Section) -> str:
    """The name of a [program.NAME]; raises PlanError."""
    name = section.key
    if not PROGRAM_NAME.fullmatch(name):
        raise section.error("", f"{name!r} is not a name: lower-case letters, digits, - and _")
    if name in TAKEN:
        raise section.error("", f"{name!r} is taken: call the program otherwise")
    return name


def _program(section: Section, own: dict[str, RestartPolicy]) -> Program:
    name = read_name(section)
    entry = section.string("entry")
    module, colon, attribute = entry.partition(":")
    parts = [attribute, *module.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        raise section.error("entry", f"{entry!r} is not PACKAGE.MODULE:CLASS")
    if "policy" in section.names():
        own[name] = read_own_policy(section)
    section.ignore("policy")
    program = Program(
        name=name,
        executable=section.string("executable", name),
        entry=entry,
        requires=section.strings("requires"),
        requires_timeout=section.seconds("requires_timeout", 30.0, least=0.1),
        follows=section.strings("follows"),
        restart=section.choice("restart", ("permanent", "transient", "temporary"), "permanent"),
        stage=section.choice("stage", ("full", "lean"), "full"),
        launch=section.choice("launch", ("fork", "exec"), "fork"),
        heartbeat=_heartbeat(section),
        start_timeout=section.seconds("start_timeout", 30.0, least=0.1),
        stop_timeout=section.seconds("stop_timeout", 5.0),
        options=section.table("options"),
        shares=section.strings("shares"),
        limits=read_limits(section),
        confine=section.string("confine", ""),
        spare=section.boolean("spare", default=False),
        saved_core_files=section.count("saved_core_files", SAVED_CORE_FILES, least=0, most=1000),
    )
    section.done()
    return program


def read_own_policy(section: Section) -> RestartPolicy:
    """The key `policy` of a program: a name, or a table of numbers; raises PlanError."""
    if section.is_table("policy"):
        table = section.section("policy")
        policy = read_policy(table)
        table.done()
        return policy
    return POLICIES[section.choice("policy", tuple(POLICIES), "junos")]


def read_limits(section: Section) -> Limits:
    """The sub-table `limits` of a program; raises PlanError."""
    table = section.section("limits", optional=True)
    limits = Limits(
        memory_mb=table.optional_count("memory_mb", least=1),
        files=table.optional_count("files", least=8),
        processes=table.optional_count("processes", least=1),
        cpu_seconds=table.optional_count("cpu_seconds", least=1),
        core_bytes=table.count("core_bytes", 0, least=0, most=2**62),
        resident_mb=table.optional_count("resident_mb", least=1),
        cpu_percent=table.optional_count("cpu_percent", least=1),
    )
    table.done()
    return limits


def _containment(top: Section) -> Containment:
    section = top.section("containment", optional=True)
    wanted = section.boolean("uids", default=True) if "uids" in section.names() else None
    containment = Containment(
        uids=wanted,
        uid_base=section.optional_count("uid_base", least=1),
        cgroups=section.boolean("cgroups", default=True),
    )
    section.done()
    return containment


def _heartbeat(section: Section) -> Heartbeat | None:
    """`heartbeat = false` switches it off."""
    if section.flag("heartbeat", default=True) is False:
        return None
    table = section.section("heartbeat", optional=True)
    heartbeat = Heartbeat(
        table.seconds("interval", Heartbeat().interval, least=0.01),
        table.count("misses", Heartbeat().misses, least=1, most=MAX_MISSES),
    )
    table.done()
    return heartbeat


def _hooks(top: Section) -> dict[str, tuple[str, ...]]:
    section = top.section("hooks", optional=True)
    hooks: dict[str, tuple[str, ...]] = {}
    for name in HOOKS:
        if name in section.names():
            hooks[name] = section.strings(name)
            if not hooks[name]:
                raise section.error(name, "is empty: it is a command and its arguments")
        section.ignore(name)
    section.done()
    return hooks


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


def check_requirements(top: Section, plan: Plan) -> None:
    """Raise PlanError for a requirement that is no program, or that can never be met."""
    names = {program.name for program in plan.programs}
    for program in plan.programs:
        for required in program.requires:
            if required not in names:
                key = f"program.{program.name}.requires"
                raise top.error(key, f"{required!r} is not a program")
        for followed in program.follows:
            if followed not in program.requires:
                key = f"program.{program.name}.follows"
                raise top.error(key, f"{followed!r} is not among what it requires")
    if circle := check_order(plan):
        raise top.error("program", circle)

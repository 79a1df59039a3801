"""A file of programs that are not ours, read from TOML into the same plan that a profile makes.

The format is described in docs/how-to/supervise-programs.md.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from jsupervisor.jlaunchd.groupreader import read_groups
from jsupervisor.jlaunchd.plan import Containment, Foreign, Heartbeat, Plan, Program
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.jlaunchd.profile import (
    check_requirements,
    judged,
    parse_toml,
    read_limits,
    read_name,
    read_own_policy,
    read_text,
)
from jsupervisor.jlaunchd.reader import Section
from jsupervisor.jlaunchd.watchreader import read_log

WHAT: Final = "file"
READINESS: Final = re.compile(r"none|notify|fd:([3-9]|[1-9][0-9]{1,2})")
VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def load_programs(path: Path) -> Plan:
    """Read the file at `path`; raises PlanError."""
    return parse_programs(read_text(path, WHAT), str(path))


def parse_programs(text: str, source: str) -> Plan:
    """The plan in `text`; raises PlanError that names `source` and the key."""
    top = Section(source, "", parse_toml(text, f"{WHAT} {source}"), what=WHAT)
    sections = top.named_sections("program")
    if not sections:
        raise top.error("program", "there is none: a file has at least one [program.NAME]")
    own = {
        section.key: read_own_policy(section) for section in sections if "policy" in section.names()
    }
    programs = [_program(section) for section in sections]
    groups = read_groups(top, {program.name for program in programs})
    plan = Plan(
        profile=Path(source).stem,
        description="",
        policy="junos",
        programs=tuple(judged(p, own, groups, POLICIES["junos"]) for p in programs),
        groups=groups,
        chassis={},
        ports={},
        containment=Containment(uids=False),
        standby=True,
        log=read_log(top),
    )
    top.done()
    check_requirements(top, plan)
    return plan


def _program(section: Section) -> Program:
    name = read_name(section)
    command = section.strings("command")
    if not command or not command[0]:
        raise section.error("command", 'is missing: a list, e.g. ["/usr/sbin/sshd", "-D"]')
    readiness = section.string("readiness", "none")
    if READINESS.fullmatch(readiness) is None:
        raise section.error("readiness", f"{readiness!r} is not fd:N (3 to 999), notify or none")
    heartbeat = None
    if "heartbeat" in section.names():
        if readiness != "notify":
            raise section.error("heartbeat", 'needs readiness = "notify"')
        heartbeat = Heartbeat(section.seconds("heartbeat", 1.0, least=0.05))
    section.ignore("heartbeat")
    section.ignore("policy")
    program = Program(
        name=name,
        executable=name,
        entry="",
        stage="foreign",
        requires=section.strings("requires"),
        requires_timeout=section.seconds("requires_timeout", 30.0, least=0.1),
        follows=section.strings("follows"),
        restart=section.choice("restart", ("permanent", "transient", "temporary"), "permanent"),
        heartbeat=heartbeat,
        start_timeout=section.seconds("start_timeout", 30.0, least=0.1),
        stop_timeout=section.seconds("stop_timeout", 5.0),
        limits=read_limits(section),
        foreign=Foreign(
            command=command,
            readiness=readiness,
            env=_environment(section),
            cwd=_folder(section),
            user=section.string("user", ""),
        ),
    )
    section.done()
    return replace(program, confine="foreign")


def _environment(section: Section) -> dict[str, str]:
    table = section.section("env", optional=True)
    environment = {name: table.string(name) for name in table.names()}
    for name, value in environment.items():
        if VARIABLE.fullmatch(name) is None or "\0" in value:
            raise table.error(name, "is not a variable: letters, digits and _")
    return environment


def _folder(section: Section) -> str:
    folder = section.string("cwd", "/")
    if not folder.startswith("/"):
        raise section.error("cwd", f"{folder!r} is not an absolute path")
    return folder

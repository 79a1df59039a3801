"""The plan: everything an instance is started from, as frozen values, and what `start` may change of it.

The supervisor knows modules by name only; a plan says which there are and how to start them. It is read
from a profile (`profile`) or from a file of programs that are not ours (`supervisefile`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.groups import Group, Tree
from jsupervisor.jlaunchd.policy import POLICIES, RestartPolicy
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.runtime.chassis import all_ports
from jsupervisor.runtime.portspec import parse_port_spec
from jsupervisor.runtime.rotate import Rule

Restart = Literal["permanent", "transient", "temporary"]
Stage = Literal["full", "lean", "foreign"]
Launch = Literal["fork", "exec"]
Architecture = Literal["modular", "monolithic", "restart-all"]

MONOLITH: Final = "router"
EVERYTHING: Final = "everything"
"""The group that all programs stand in, for architecture restart-all."""
PROGRAM_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
TAKEN: Final = frozenset(
    {"cgroups", "init", "jlaunchd", "launcher", "launcher-full", "links", "operator", MONOLITH}
)
"""Names of what is no module."""


SAVED_CORE_FILES: Final = 5


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How often a module is asked for a sign of life (seconds), and how many it may miss."""

    interval: float = 0.2
    misses: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process may use; None is as much as there is."""

    memory_mb: int | None = None
    """Address space, in MiB."""
    files: int | None = None
    processes: int | None = None
    cpu_seconds: int | None = None
    core_bytes: int = 0
    resident_mb: int | None = None
    """Memory in use, in MiB; needs a cgroup with that controller."""
    cpu_percent: int | None = None
    """Of one processor; needs a cgroup with that controller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containment:
    """What holds for all modules of an instance."""

    uids: bool | None = None
    """Has each a uid of its own? None: where that is possible, with root."""
    uid_base: int | None = None
    """The first of a range of numbers for them; None: made from the instance's home."""
    cgroups: bool = True
    """Are cgroups made, where that is possible?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A program that is not ours: what is executed, and how it says that it is ready."""

    command: tuple[str, ...]
    readiness: str = "none"
    """"fd:N", "notify" or "none"."""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One module: what it is, what it needs, how it is started and watched."""

    name: str
    executable: str
    entry: str
    requires: tuple[str, ...] = ()
    requires_timeout: float = 30.0
    """After so many seconds of waiting for them it is said aloud; the wait goes on."""
    follows: tuple[str, ...] = ()
    """Those of `requires` whose restart makes this one restart too."""
    restart: Restart = "permanent"
    stage: Stage = "full"
    launch: Launch = "fork"
    heartbeat: Heartbeat | None = Heartbeat()
    start_timeout: float = 30.0
    stop_timeout: float = 5.0
    options: Mapping[str, Json] = field(default_factory=dict)
    shares: tuple[str, ...] = ()
    policy: RestartPolicy = POLICIES["junos"]
    judged_alone: bool = True
    """By its own policy; False: its failures count in its group, under the group's."""
    limits: Limits = Limits()
    confine: str = ""
    """The role that says what it may do; empty: by executable."""
    spare: bool = False
    """Is a warm successor kept waiting?"""
    foreign: Foreign | None = None
    saved_core_files: int = SAVED_CORE_FILES
    """How many post-mortems are kept; 0: none is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything an instance is started from. Programs stand in the profile's order."""

    profile: str
    description: str
    policy: str
    programs: tuple[Program, ...]
    chassis: Mapping[str, Json]
    ports: Mapping[str, str]
    groups: tuple[Group, ...] = ()
    hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What is run to fail over: "alternate-media" or "other-routing-engine" to a command."""
    log: Rule = field(default_factory=Rule)
    """How much is kept of the logs."""
    metrics: str = ""
    """The TCP address that metrics are served on, besides the unix socket; empty: none."""
    containment: Containment = Containment()
    architecture: Architecture = "modular"
    parts: tuple[Program, ...] = ()
    """Monolithic: the modules inside the one program."""
    standby: bool = False
    """Does a second jlaunchd wait for the death of the first?"""
    heartbeats: bool = True
    """Is anybody asked for signs of life, jlaunchd and the launchers included?"""
    source: str = ""
    """The file that it was read from, for a reload."""
    chosen_policy: str = ""
    chosen_ports: Mapping[str, str] = field(default_factory=dict)
    """What `start` was told besides the file."""

    def program(self, name: str) -> Program:
        """The program called `name`; raises KeyError."""
        for program in self.programs:
            if program.name == name:
                return program
        raise KeyError(name)

    def tree(self) -> Tree:
        """Its groups."""
        return Tree([program.name for program in self.programs], self.groups)


def with_policy(plan: Plan, policy: str, target: str = "") -> Plan:
    """The plan with a named policy for `target` (a program or a group), or for everything.

    Raises PlanError.
    """
    if policy not in POLICIES:
        known = ", ".join(POLICIES)
        raise PlanError(f"cannot use policy {policy!r}: there are {known}")
    return with_rule(plan, POLICIES[policy], target, policy)


def with_rule(plan: Plan, rule: RestartPolicy, target: str = "", name: str = "") -> Plan:
    """As `with_policy`, for a policy of any numbers; raises PlanError for an unknown target."""
    if not target:
        programs = tuple(replace(program, policy=rule) for program in plan.programs)
        groups = tuple(replace(group, policy=rule) for group in plan.groups)
        return replace(plan, programs=programs, groups=groups, policy=name or plan.policy)
    if any(group.name == target for group in plan.groups):
        groups = tuple(
            replace(group, policy=rule) if group.name == target else group for group in plan.groups
        )
        return replace(plan, groups=groups)
    if all(program.name != target for program in plan.programs):
        names = [program.name for program in plan.programs]
        known = ", ".join([*names, *(group.name for group in plan.groups)])
        raise PlanError(f"cannot find module or group {target!r}: there are {known}")
    programs = tuple(
        replace(program, policy=rule, judged_alone=True) if program.name == target else program
        for program in plan.programs
    )
    return replace(plan, programs=programs)


def without_heartbeats(plan: Plan) -> Plan:
    """The plan under which nobody is asked for signs of life, and an idle instance never wakes up."""
    programs = tuple(replace(program, heartbeat=None) for program in plan.programs)
    return replace(plan, programs=programs, heartbeats=False)


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
    return replace(
        plan, architecture="monolithic", programs=(router,), groups=(), parts=plan.programs
    )


def as_restart_all(plan: Plan) -> Plan:
    """The other control: the same processes, all of which are restarted when one fails.

    They start again as soon as what they require is ready, as at the first start.
    """
    rule = POLICIES[plan.policy]
    programs = tuple(replace(p, policy=rule, judged_alone=False) for p in plan.programs)
    everything = Group(
        name=EVERYTHING,
        members=tuple(program.name for program in programs),
        strategy="one_for_all",
        policy=rule,
        ordered=False,
    )
    return replace(plan, architecture="restart-all", programs=programs, groups=(everything,))


def port_exists(chassis: Mapping[str, Json], name: str) -> bool:
    """Does the chassis have an interface of this name, e.g. ge-0/0/1?"""
    return any(port.name == name for port in all_ports(chassis))


def check_order(plan: Plan) -> str:
    """Why the programs cannot be started in any order; empty when they can."""
    tree = plan.tree()
    before = {p.name: {*p.requires, *tree.earlier(p.name)} for p in plan.programs}
    done: set[str] = set()
    while len(done) < len(before):
        free = {name for name in before if name not in done and before[name] <= done}
        if not free:
            return (
                f"these require one another in a circle: {', '.join(sorted(before.keys() - done))}"
            )
        done |= free
    return ""

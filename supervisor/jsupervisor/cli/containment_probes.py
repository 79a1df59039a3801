"""What of containment this machine offers, for `jsupervisor doctor`: each layer, or why it lacks."""

from __future__ import annotations

from jsupervisor.cli.probes import Check
from jsupervisor.containment import cgroups
from jsupervisor.containment.credentials import UID_BASE, UID_COUNT
from jsupervisor.containment.ground import Ground, why_no_uids
from jsupervisor.containment.machine import Machine, look

SIGNALS_FROM = 6
"""The first ABI of Landlock that keeps signals in."""


def containment_checks(machine: Machine | None = None, no_uids: str | None = None) -> list[Check]:
    """All layers; the arguments are what is found out otherwise."""
    machine = machine or look()
    if no_uids is None:
        no_uids = why_no_uids(Ground(lowest=UID_BASE, highest=UID_BASE + UID_COUNT))
    return [uids(no_uids), landlock(machine), seccomp(machine), trees(machine), limits(machine)]


def uids(why_not: str) -> Check:
    """Can each module have a uid?"""
    return Check(
        name="module uids",
        ok=not why_not,
        value=why_not or "one for each module",
        disables="protection from a module that is taken over: it shares a uid with all others",
    )


def landlock(machine: Machine) -> Check:
    """Can files be closed to modules?"""
    value = f"ABI {machine.landlock}" if machine.landlock else machine.no_landlock
    if 0 < machine.landlock < SIGNALS_FROM:
        value += ", which leaves signals and abstract sockets to seccomp and uids"
    return Check(
        name="Landlock",
        ok=bool(machine.landlock),
        value=value,
        disables="keeping modules from files of the instance's owner that are not theirs",
    )


def seccomp(machine: Machine) -> Check:
    """Can system calls be closed to modules?"""
    return Check(
        name="seccomp",
        ok=bool(machine.seccomp),
        value=f"filters for {machine.seccomp}" if machine.seccomp else machine.no_seccomp,
        disables="keeping modules from starting processes and from calls that none needs",
    )


def trees(machine: Machine) -> Check:
    """Can a whole process tree be killed at one stroke?"""
    groups = machine.groups
    return Check(
        name="cgroup.kill",
        ok=groups.kills,
        value=groups.unified or groups.why,
        disables="ending all processes of a program that is not ours for certain: best effort",
    )


def limits(machine: Machine) -> Check:
    """Can a module's memory in use, processor time and processes be limited?"""
    there = cgroups.controllers(machine.groups)
    return Check(
        name="cgroup limits",
        ok=len(there) == len(cgroups.CONTROLLERS),
        value=" ".join(there) or "no controller",
        disables="resident_mb and cpu_percent in a program's limits; rlimits work",
    )

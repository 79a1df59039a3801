"""Reads [group.NAME] and restart policies: the same keys in a profile and in a file of programs."""

from __future__ import annotations

from collections.abc import Collection

from jsupervisor.jlaunchd.groups import STRATEGIES, Group
from jsupervisor.jlaunchd.policy import POLICIES, REMEMBERED, THRASH, Backoff, RestartPolicy
from jsupervisor.jlaunchd.reader import Section


def read_groups(top: Section, programs: Collection[str]) -> tuple[Group, ...]:
    """All [group.NAME] of a document; raises PlanError."""
    sections = top.named_sections("group")
    names = {section.key for section in sections}
    taken: set[str] = set()
    groups = []
    for section in sections:
        if section.key in programs:
            raise section.error("", "there is a program of that name")
        members = section.strings("members")
        for member in members:
            if member not in programs and member not in names:
                raise section.error("members", f"{member!r} is not a program")
            if member in taken:
                raise section.error("members", f"{member!r} is in another group already")
            taken.add(member)
        strategy = section.choice("strategy", STRATEGIES, "one_for_one")
        group = Group(
            name=section.key,
            members=members,
            strategy=strategy,
            policy=read_policy(section),
            ordered=section.boolean("ordered", default=True),
        )
        section.done()
        groups.append(group)
    _refuse_circles(top, groups)
    return tuple(groups)


def read_policy(section: Section) -> RestartPolicy:
    """The policy that a table's keys `policy`, or `intensity`, `period`, `backoff`, `on_thrash` say."""
    base = POLICIES[section.choice("policy", tuple(POLICIES), "junos")]
    intensity = base.intensity
    if "intensity" in section.names():
        intensity = section.count("intensity", 3, least=0, most=REMEMBERED - 1)
    else:
        section.ignore("intensity")
    return RestartPolicy(
        intensity=intensity,
        period=section.seconds("period", base.period),
        backoff=_backoff(section.section("backoff", optional=True), base.backoff),
        on_thrash=section.choice("on_thrash", THRASH, base.on_thrash),
    )


def _backoff(section: Section, base: Backoff) -> Backoff:
    if not section.names():
        return base
    backoff = Backoff(
        initial=section.seconds("initial", 0.0),
        factor=section.number("factor", 2.0, least=1.0),
        cap=section.seconds("cap", 5.0),
        jitter=section.number("jitter", 0.0, least=0.0, most=1.0),
        reset=section.seconds("reset", Backoff().reset),
    )
    section.done()
    return backoff


def _refuse_circles(top: Section, groups: Collection[Group]) -> None:
    parents = {member: group.name for group in groups for member in group.members}
    for group in groups:
        seen, name = [group.name], parents.get(group.name)
        while name is not None:
            if name == group.name:
                raise top.error("group", f"these stand in one another: {', '.join(seen)}")
            if name in seen:
                break
            seen.append(name)
            name = parents.get(name)

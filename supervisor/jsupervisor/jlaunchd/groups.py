"""Groups of programs that fail and restart together: a tree, in the words of Erlang/OTP.

    one_for_one     whoever failed is restarted, alone
    one_for_all     all members are stopped and started again
    rest_for_one    the one that failed and those that stand after it

A group is judged as a whole: failures of all its members count against its intensity. Beyond it the
group holds, or escalates: then it is the group above that judges, for which the whole group has failed
once. What stands in no group is judged alone. Pure: names in, names out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from jsupervisor.jlaunchd.policy import POLICIES, RestartPolicy

Strategy = Literal["one_for_one", "one_for_all", "rest_for_one"]
STRATEGIES: Final[tuple[Strategy, ...]] = ("one_for_one", "one_for_all", "rest_for_one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Programs, or groups of them, in the order in which they start."""

    name: str
    members: tuple[str, ...]
    strategy: Strategy = "one_for_one"
    policy: RestartPolicy = POLICIES["junos"]
    ordered: bool = True
    """Does each member wait for those before it, unless failures are each one's own?"""


class Tree:
    """All groups of a plan. `programs` are the names in the plan's order."""

    def __init__(self, programs: Sequence[str], groups: Sequence[Group]) -> None:
        self._order = {name: place for place, name in enumerate(programs)}
        self.groups: Mapping[str, Group] = {group.name: group for group in groups}
        self._parent = {member: group.name for group in groups for member in group.members}
        self._earlier = {name: self._before(name) for name in programs}
        self._programs = {group.name: self._inside(group.name) for group in groups}

    def parent(self, name: str) -> Group | None:
        """The group that a program or a group stands in."""
        above = self._parent.get(name)
        return None if above is None else self.groups[above]

    def ancestors(self, name: str) -> Iterator[tuple[str, Group]]:
        """The groups around `name`, inner first, each with the member of it that leads to `name`."""
        member = name
        while (group := self.parent(member)) is not None:
            yield member, group
            member = group.name

    def programs(self, name: str) -> tuple[str, ...]:
        """The programs under a group in start order; a program stands for itself."""
        return self._programs.get(name, (name,))

    def affected(self, member: str) -> tuple[str, ...]:
        """The programs that restart when `member` fails in its group, in start order, it included."""
        group = self.parent(member)
        if group is None or group.strategy == "one_for_one":
            return self.programs(member)
        place = group.members.index(member) if group.strategy == "rest_for_one" else 0
        return tuple(name for other in group.members[place:] for name in self.programs(other))

    def earlier(self, program: str) -> frozenset[str]:
        """The programs that are to be ready before `program` because of the order in its groups."""
        return self._earlier.get(program, frozenset())

    def _inside(self, name: str) -> tuple[str, ...]:
        group = self.groups.get(name)
        if group is None:
            return (name,)
        return tuple(program for member in group.members for program in self._inside(member))

    def _before(self, program: str) -> frozenset[str]:
        return frozenset(
            name
            for member, group in self.ancestors(program)
            if group.strategy != "one_for_one" and group.ordered
            for other in group.members[: group.members.index(member)]
            for name in self._inside(other)
        )

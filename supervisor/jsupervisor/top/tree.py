"""Modules in their groups: what stands under what, in the profile's order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jsupervisor.jlaunchd.groups import Group, Tree


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of the tree: a group, or a module when `group` is None."""

    name: str
    depth: int
    group: Group | None = None
    modules: tuple[str, ...] = ()
    """Of a group: all modules under it."""


def arrange(names: Sequence[str], groups: Sequence[Group]) -> list[Branch]:
    """All modules once, each under its groups; a group stands where its first module would.

    A member that is not among `names` has no line, and nor has a group without one that is.
    """
    known = frozenset(names)
    tree = Tree(names, groups)
    lines: list[Branch] = []
    done: set[str] = set()
    for name in names:
        if name in done:
            continue
        top = [name, *(group.name for _, group in tree.ancestors(name))][-1]
        branches = list(_branches(top, 0, tree, known))
        done.update(branch.name for branch in branches)
        lines += branches
    return lines


def _branches(name: str, depth: int, tree: Tree, known: frozenset[str]) -> Iterator[Branch]:
    group = tree.groups.get(name)
    if group is None:
        if name in known:
            yield Branch(name, depth)
        return
    modules = tuple(each for each in tree.programs(name) if each in known)
    if not modules:
        return
    yield Branch(name, depth, group, modules)
    for member in group.members:
        yield from _branches(member, depth + 1, tree, known)

"""Who waits for whom: questions about all modules together, answered from their states alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.groups import Tree
from jsupervisor.jlaunchd.module import Module

GROUP: Final = "group:"
FOLLOW: Final = "follow:"
HOLD: Final = "hold"


class Ordering:
    """Start, stop and restart order. `tree` and `modules` may change between questions."""

    def __init__(self, tree: Tree, modules: Mapping[str, Module]) -> None:
        self.tree = tree
        self._modules = modules

    def waits_for(self, module: Module) -> tuple[str, ...]:
        """What must come about before it starts, by name; empty when it may.

        A first start waits for everything that it requires. A restart after a failure does not: feeds
        bring it up to date. Both wait for those that stand before it in a group that keeps an order,
        and until all who restart together with it are down.
        """
        required = module.program.requires if module.state is State.DOWN else ()
        missing = [name for name in required if not self._up(name)]
        earlier = self.tree.earlier(module.name)
        for name, other in self._modules.items():
            if name in earlier and other.wanted and other.state not in (State.UP, State.FAILED):
                missing.append(name)
            if other.state is State.STOPPING and other.replacing.startswith(GROUP):
                scope = other.replacing.removeprefix(GROUP)
                if module.name in self.tree.programs(scope) and name != module.name:
                    missing.append(name)
        return tuple(dict.fromkeys(missing))

    def followers(self, names: Iterable[str]) -> Iterator[tuple[Module, str]]:
        """Who restarts because these do, and whom each follows; in stop order, not these themselves."""
        following = [module for module in self._modules.values() if module.program.follows]
        going = dict.fromkeys(names, "")
        found = bool(following)
        while found:
            found = False
            for module in following:
                followed = [other for other in module.program.follows if other in going]
                if followed and module.name not in going:
                    going[module.name], found = followed[0], True
        for name in reversed(list(self._modules)):
            if going.get(name):
                yield self._modules[name], going[name]

    def dependants_down(self, module: Module) -> bool:
        """When everything stops, a module goes after those that start after it."""
        return all(
            other.state is State.DOWN
            for name, other in self._modules.items()
            if module.name in other.program.requires or module.name in self.tree.earlier(name)
        )

    def _up(self, name: str) -> bool:
        other = self._modules.get(name)
        return other is not None and other.state is State.UP

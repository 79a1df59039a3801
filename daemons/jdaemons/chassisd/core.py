"""FPCs come online when their packet engines are heard; their ports are then published.

Pure. An engine or pfectl that dies says nothing, so nothing changes here: the last state stays until
somebody says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jdaemons.chassisd.events import (
    Command,
    DeadlinePassed,
    Event,
    FpcChanged,
    LinksHeard,
    Publish,
    Settled,
)
from jdaemons.chassisd.fpc import TRANSITIONS, WAITING, Announced, FpcState, GivenUp, PortsKnown
from jsupervisor.runtime.chassis import PortPlace
from jsupervisor.runtime.fsm import next_state


class Core:
    """The state of every FPC slot, and the link of every port."""

    def __init__(self, ports: Mapping[int, Iterable[PortPlace]], slots: int = 0) -> None:
        """`ports` of each FPC that the profile lists; the other slots below `slots` are empty."""
        self.states = dict.fromkeys(range(slots), FpcState.EMPTY)
        self.states.update(dict.fromkeys(ports, FpcState.PRESENT))
        self.links: dict[str, bool] = {}
        self._ports = {fpc: tuple(places) for fpc, places in ports.items()}
        self._settled = False

    def handle(self, event: Event) -> list[Command]:
        """Apply one event; raises KeyError for the links of an FPC that the profile does not list."""
        commands: list[Command] = []
        match event:
            case LinksHeard():
                commands += self._heard(event)
            case DeadlinePassed():
                for fpc in self.waiting:
                    commands += self._move(fpc, GivenUp())
        if not self._settled and not self.waiting:
            self._settled = True
            commands.append(Settled())
        return commands

    @property
    def waiting(self) -> list[int]:
        """The FPCs that are neither online nor given up."""
        return [fpc for fpc, state in self.states.items() if state in WAITING]

    def _heard(self, event: LinksHeard) -> list[Command]:
        commands: list[Command] = []
        first = self.states[event.fpc] is not FpcState.ONLINE
        if first:
            commands += self._move(event.fpc, Announced())
            commands += self._move(event.fpc, PortsKnown())
        for port in self._ports[event.fpc]:
            before = self.links.get(port.name, False)
            after = event.links.get(port.name, before and port.name not in event.removed)
            self.links[port.name] = after
            if first or after != before:
                commands.append(Publish(port, after))
        return commands

    def _move(self, fpc: int, event: object) -> list[Command]:
        self.states[fpc] = next_state(f"fpc{fpc}", TRANSITIONS, self.states[fpc], event)
        return [FpcChanged(fpc, self.states[fpc].value)]

"""Carries out what `spares` wishes: messages to init, and a timer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import trio

from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.spares import Ask, Spares

Order = Callable[[str, int], Message]
"""A module's name and incarnation to the start order of it."""


class Sparing:
    """The supervisor's hand on warm spares."""

    def __init__(self, send: Callable[[Message], None], order: Order) -> None:
        """`order` gives the request to start a module, as init is sent it, but for `op` and `record`."""
        self._send = send
        self._order = order
        self._spares = Spares()
        self._timer = trio.CancelScope()

    def note(self, message: Mapping[str, Json]) -> None:
        """init has told of a spare."""
        incarnation = message["incarnation"]
        assert isinstance(incarnation, int)
        name, state = str(message["name"]), str(message["state"])
        self._spares.note(name, incarnation, state, trio.current_time())
        self._timer.cancel()

    def claimed(self, name: str, incarnation: int) -> None:
        """A module has begun."""
        self._spares.claimed(name, incarnation)

    def renew(self) -> None:
        """Orders are different now: what was made to the old ones is sent away."""
        for name in self._spares.forget_all():
            self._send({"op": "dismiss", "name": name})

    def look(self) -> None:
        """Something has happened."""
        self._timer.cancel()

    async def run(self, modules: Callable[[], Iterable[Module]]) -> None:
        """Keep spares, once everything is adopted."""
        while True:
            with trio.CancelScope() as self._timer:
                for wish in self._spares.look(modules(), trio.current_time()):
                    if isinstance(wish, Ask):
                        order = self._order(wish.name, wish.incarnation)
                        self._send({**order, "op": "spare"})
                    else:
                        self._send({"op": "dismiss", "name": wish.name})
                await trio.sleep_until(self._spares.deadline or trio.current_time() + 3600)

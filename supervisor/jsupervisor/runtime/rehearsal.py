"""What a warm spare does before it is called: everything once, so that the second time is quick.

After a fork the first touch of each page copies it, gRPC starts its threads, and Python finds its way
through code that it has not run before: most of the time that a start takes. So a spare serves a feed
to itself, with its own certificate, over sockets that nobody else knows, and takes it all down again.
It also connects to the module's producers, and keeps these connections. Nothing of the module itself
is run, but its constructor.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import trio

from jsupervisor.runtime.callers import ALLOWED
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.feed import FeedSource, Publisher
from jsupervisor.runtime.host import EVENTD, Host
from jsupervisor.runtime.identity import Identity
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import Client
from jsupervisor.runtime.sockets import REHEARSAL

TOPIC: Final = "rehearsal"
ROUNDS: Final = 3
"""Python rewrites code for its own ends after it has run a few times."""
PATIENCE: Final = 2.0
"""Seconds for each round: a spare that is less warm is still a spare."""


async def rehearse(order: Order, identity: Identity, module: type) -> dict[str, Client]:
    """Do what a start of `module` does; channels by the module at the other end, which connect."""
    clients = {}
    if issubclass(module, Daemon):
        daemon = module(order)
        producers = [source.producer for source in daemon.feeds_in()]
        others = [] if daemon.log_sink() else [EVENTD]
        host = Host(daemon, None, _ignore, identity)
        clients = {name: host.client_at(name) for name in {*producers, *others}}
        for client in clients.values():
            client.reach()
    for _ in range(ROUNDS):
        with trio.move_on_after(PATIENCE):
            await _perform(replace(order, incarnation=REHEARSAL), identity)
    gc.collect()
    gc.freeze()
    return clients


async def _perform(order: Order, identity: Identity) -> None:
    host = _Stage(_Nobody(order), None, _ignore, identity, sink=lambda record: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(host.run)
        await host.ready.wait()
        host.stop()


def _ignore(stage: str) -> None:
    """Nobody is told."""


class _Stage(Host):
    """Finds its own module behind its own, unpublished sockets."""

    def client_at(self, module: str, incarnation: int | None = None) -> Client:
        return super().client_at(module, REHEARSAL)


class _Nobody(Daemon):
    """Publishes one feed, and consumes it."""

    streams_max = 2
    unary_max = 2

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.allowed: Mapping[str, frozenset[str]] = {
            **ALLOWED,
            f"feed:{TOPIC}": frozenset((order.name,)),
        }
        self._feed = Publisher(TOPIC)
        self._feed.set("key", b"value")
        self._feed.mark_synced()

    def publishers(self) -> Sequence[Publisher]:
        return (self._feed,)

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource(self.order.name, TOPIC),)

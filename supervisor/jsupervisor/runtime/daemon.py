"""The class that every daemon's shell derives from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import grpc
import trio

from jsupervisor.initproto import Json
from jsupervisor.runtime.callers import ALLOWED
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.log import Log
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Sink
from jsupervisor.runtime.rpc import Client, Seam

Query = Callable[[Mapping[str, str]], Json]
"""Answers one name of operational data; raises QueryError for arguments that it cannot use."""


class QueryError(Exception):
    """An operational query cannot be answered; the text, beginning with "cannot", goes to the user."""


class Daemon:
    """One module. Everything a subclass may override has a default that does nothing."""

    allowed: Mapping[str, frozenset[str]] = ALLOWED
    """Who may call what."""
    streams_max: int = 64
    """Open streams served at once; a further one is refused with RESOURCE_EXHAUSTED."""
    unary_max: int = 8
    """Threads for calls that are not streams."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.clock = Clock()
        self.log: Log

    def client(self, module: str) -> Client:
        """The channel to another module's RPC socket; one for each, closed by the base."""
        raise NotImplementedError

    def feeds_in(self) -> Sequence[FeedSource]:
        """The feeds to consume."""
        return ()

    def publishers(self) -> Sequence[Publisher]:
        """The feeds to offer."""
        return ()

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """Register servicers of the module's own."""

    def operational(self) -> Mapping[str, Query]:
        """What Runtime.Get can ask for."""
        return {}

    def log_sink(self) -> Sink | None:
        """Where records go; None sends them to eventd."""
        return None

    async def run(self, nursery: trio.Nursery) -> None:
        """Start timers and sockets in the nursery and return when set up."""

    async def on_change(self, change: Change) -> None:
        """Take one difference of a consumed feed; one call at a time, in order."""

    async def on_synced(self) -> None:
        """Every gating feed has reached end-of-snapshot; once in a life."""

    async def reload(self) -> None:
        """Soft restart (SIGHUP)."""

    async def stop(self) -> None:
        """Asked to stop (SIGTERM), before the servers close."""

"""The class that every daemon's shell derives from.

It has hooks only: what the runtime does with them, and everything it does before a daemon hears of
it, is in `jsupervisor.runtime.host`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import grpc
import trio

from jsupervisor.runtime.callers import ALLOWED
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.log import Backlog, Log
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Sink
from jsupervisor.runtime.replica import Session
from jsupervisor.runtime.rpc import Client, Seam
from jsupervisor.runtime.servicer import Query, QueryError

__all__ = ["Daemon", "Query", "QueryError", "Surroundings"]


class Surroundings(Protocol):
    """What the runtime gives a daemon to call."""

    @property
    def descriptors(self) -> Descriptors:
        """The descriptor store."""

    def client(self, module: str) -> Client:
        """The channel to another module."""

    def client_at(self, module: str, incarnation: int | None = None) -> Client:
        """A channel of the caller's own."""

    def session(self, producer: str, topic: str) -> Session:
        """The state of one consumed feed; raises KeyError."""


class Daemon:
    """One module. Everything a subclass may override has a default that does nothing."""

    allowed: Mapping[str, frozenset[str]] = ALLOWED
    """Who may call what."""
    dozes: bool = False
    """Do its gRPC servers exist only while somebody calls? It costs each call two hops more."""
    streams_max: int = 64
    """Open streams served at once; a further one is refused with RESOURCE_EXHAUSTED."""
    unary_max: int = 8
    """Threads for calls that are not streams."""

    surroundings: Surroundings
    """Set by the runtime before `run`; use the methods below."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.clock = Clock()
        self.backlog = Backlog()
        self.log = Log(order, self.clock, self.backlog)

    # -- what the base gives ---------------------------------------------------------------

    @property
    def descriptors(self) -> Descriptors:
        """Descriptors that outlive this process: put, get, drop. From `run` on."""
        return self.surroundings.descriptors

    def client(self, module: str) -> Client:
        """The channel to another module's RPC socket: one for each, closed by the base."""
        return self.surroundings.client(module)

    def client_at(self, module: str, incarnation: int | None = None) -> Client:
        """A channel that the caller closes, to whoever is there or to one incarnation alone."""
        return self.surroundings.client_at(module, incarnation)

    def session(self, producer: str, topic: str) -> Session:
        """Is a consumed feed connected, is it synced; raises KeyError for one not consumed."""
        return self.surroundings.session(producer, topic)

    # -- what a subclass may override ------------------------------------------------------

    def feeds_in(self) -> Sequence[FeedSource]:
        """The feeds to consume."""
        return ()

    def publishers(self) -> Sequence[Publisher]:
        """The feeds to offer."""
        return ()

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """Register servicers of the module's own. Calls come only after `run` has returned."""

    def operational(self) -> Mapping[str, Query]:
        """What Runtime.Get can ask for; the queries run in the loop."""
        return {}

    def log_sink(self) -> Sink | None:
        """Where records go; None sends them to eventd."""
        return None

    async def run(self, nursery: trio.Nursery) -> None:
        """Start timers and sockets in the nursery and return when set up."""

    async def on_change(self, change: Change) -> None:
        """Take one difference of a consumed feed; one call at a time, in order."""

    async def settled(self) -> None:
        """Return when feeds that do not gate readiness have brought what is worth waiting for."""

    async def on_synced(self) -> None:
        """Every gating feed has reached end-of-snapshot; once in a life."""

    async def reload(self) -> None:
        """Soft restart (SIGHUP)."""

    async def stop(self) -> None:
        """Asked to stop (SIGTERM), before the servers close."""

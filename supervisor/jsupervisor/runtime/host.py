"""Runs one daemon: sockets, health, feeds, log and readiness around it, in one trio task tree.

Nothing here belongs to the process: two hosts can run side by side in one loop. What there is once for
a process (signals, the connection to init, faults) is in `jsupervisor.runtime.process`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import trio

from jprotos.feed.v1 import feed_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2_grpc
from jsupervisor.paths import RPC, socket_path
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.doorman import Doorman
from jsupervisor.runtime.feed import Change, Publisher
from jsupervisor.runtime.feedio import FeedReader, FeedServicer
from jsupervisor.runtime.identity import Identity
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.log import Severity, Tag
from jsupervisor.runtime.record import Sink
from jsupervisor.runtime.replica import Session
from jsupervisor.runtime.rpc import Client, Seam, soon
from jsupervisor.runtime.servers import Servers
from jsupervisor.runtime.servicer import RuntimeServicer
from jsupervisor.runtime.shipping import ship

EVENTD: Final = "eventd"
LAST_WORDS: Final = 1.0
"""Seconds that eventd is given to take the last records of a module that stops."""
UNHEARD: Final = 0.05
"""Seconds in place of those where no eventd is connected."""


class Host:
    """The surroundings of one daemon."""

    def __init__(
        self,
        daemon: Daemon,
        descriptors: Descriptors | None,
        report: Callable[[str], None],
        identity: Identity,
        sink: Sink | None = None,
        mark: Callable[[str], None] = lambda step: None,
        clients: Mapping[str, Client] | None = None,
    ) -> None:
        """`identity` is the daemon's own. `sink` takes eventd's place for one that has no
        sink; `clients` are channels that there are already.
        """
        self.daemon = daemon
        self._descriptors = descriptors
        self.ready = trio.Event()
        self._report = report
        self._identity = identity
        self._sink = sink
        self._mark = mark
        self._stopping = trio.Event()
        self._clients = dict(clients or {})
        self._readers: list[FeedReader] = []
        self._shipped = trio.Event()
        self._turn = trio.Lock()
        self._seam: Seam | None = None
        self._servers: Servers | Doorman | None = None
        self._publishers: Sequence[Publisher] = ()
        daemon.surroundings = self

    # -- what a daemon may call ------------------------------------------------------------

    @property
    def descriptors(self) -> Descriptors:
        """The descriptor store; raises LookupError in a process that init did not start as a module."""
        if self._descriptors is None:
            raise LookupError(f"cannot keep descriptors: {self.daemon.order.name} has no store")
        return self._descriptors

    def client(self, module: str) -> Client:
        """The channel to another module's RPC socket."""
        if module not in self._clients:
            self._clients[module] = self.client_at(module)
        return self._clients[module]

    def client_at(self, module: str, incarnation: int | None = None) -> Client:
        """A channel of the caller's own, to whoever is there or to one incarnation alone."""
        path = socket_path(self.daemon.order.run_dir, module, RPC, incarnation)
        return Client.to(path, self._identity, module)

    def session(self, producer: str, topic: str) -> Session:
        """The state of one consumed feed; raises KeyError."""
        for session in self.sessions():
            if (session.producer, session.topic) == (producer, topic):
                return session
        raise KeyError(f"{self.daemon.order.name} does not consume {topic} of {producer}")

    def sessions(self) -> list[Session]:
        """The state of every consumed feed."""
        return [reader.replica.session() for reader in self._readers]

    # -- life --------------------------------------------------------------------------------

    def stop(self) -> None:
        """Ask for an orderly end; `run` returns after it."""
        self._stopping.set()

    def block_pool(self) -> None:
        """Carry out the fault `block-pool`."""
        if self._servers is not None:
            self._servers.block()

    async def reload(self) -> None:
        """Soft restart."""
        self.daemon.log.notice(Tag.MODULE_RELOAD, "soft restart")
        await self.daemon.reload()

    async def run(self) -> None:
        """From the sockets to the end. Returns when stopped; anything raised is a crash."""
        order = self.daemon.order
        daemon = self.daemon
        try:
            async with trio.open_nursery() as nursery:
                servers = self._servers = (
                    Doorman(order, self._make_servers, nursery)
                    if daemon.dozes
                    else self._make_servers()
                )
                self._mark("registered")
                servers.start_plain()
                self._report("serving")
                self._reach()
                self._start_log(nursery)
                daemon.log.info(Tag.MODULE_START, f"{order.name} started")
                await daemon.run(nursery)
                self._mark("run")
                servers.start_rpc()
                self._mark("rpc")
                self._start_readers(nursery)
                nursery.start_soon(self._become_ready, servers)
                await self._stopping.wait()
                servers.set_ready(False)
                daemon.log.info(Tag.MODULE_STOP, f"{order.name} stops")
                await daemon.stop()
                daemon.backlog.end()
                await self._say_last_words()
                nursery.cancel_scope.cancel()
        finally:
            await self._close()

    def _reach(self) -> None:
        """Begin to connect to whoever a start waits for: gRPC's threads do it while this one goes on."""
        wanted = [source.producer for source in self.daemon.feeds_in()]
        if self._sink is None and self.daemon.log_sink() is None:
            wanted.append(EVENTD)
        for module in wanted:
            self.client(module).reach()

    def _make_servers(self, hidden: int = 0) -> Servers:
        """With everything registered; `hidden` is for those behind a doorman."""
        daemon, token = self.daemon, trio.lowlevel.current_trio_token()
        servers = Servers(
            daemon.order,
            self._identity,
            daemon.allowed,
            daemon.streams_max + daemon.unary_max,
            lambda why: soon(token, partial(daemon.log.warning, Tag.RPC_REFUSED, why)),
            hidden=hidden,
        )
        self._register(servers)
        return servers

    def _start_log(self, nursery: trio.Nursery) -> None:
        daemon = self.daemon
        sink = daemon.log_sink() or self._sink
        if sink is None:
            nursery.start_soon(ship, daemon.backlog, self.client(EVENTD), self._shipped)
            return
        self._shipped.set()
        daemon.log.sink = sink
        while (record := daemon.backlog.pop()) is not None:
            sink(record)

    async def _say_last_words(self) -> None:
        if not self._shipped.is_set():
            heard = self.client(EVENTD).reached
            with trio.move_on_after(LAST_WORDS if heard else UNHEARD):
                await self._shipped.wait()

    def _register(self, servers: Servers) -> None:
        daemon = self.daemon
        seam = Seam(trio.lowlevel.current_trio_token(), streams_max=daemon.streams_max)
        self._seam = seam
        self._publishers = daemon.publishers()
        for publisher in self._publishers:
            publisher.incarnation = daemon.order.incarnation
        runtime_pb2_grpc.add_RuntimeServicer_to_server(
            RuntimeServicer(
                seam,
                daemon.order.incarnation,
                daemon.operational(),
                self.sessions,
                lambda: daemon.backlog.dropped,
                servers.stats,
            ),
            servers.rpc,
        )
        feed_pb2_grpc.add_FeedServicer_to_server(FeedServicer(seam, self._publishers), servers.rpc)
        daemon.services(seam, servers.rpc)

    def _start_readers(self, nursery: trio.Nursery) -> None:
        daemon = self.daemon
        for source in daemon.feeds_in():
            client = self.client(source.producer)
            reader = FeedReader(source, client, self._deliver, daemon.log)
            self._readers.append(reader)
            nursery.start_soon(reader.run)

    async def _deliver(self, change: Change) -> None:
        async with self._turn:
            await self.daemon.on_change(change)

    async def _become_ready(self, servers: Servers | Doorman) -> None:
        daemon = self.daemon
        for reader in self._readers:
            if reader.replica.source.gating:
                await reader.first_synced.wait()
        self._mark("synced")
        await daemon.settled()
        async with self._turn:
            await daemon.on_synced()
        for publisher in self._publishers:
            if not publisher.synced:
                publisher.mark_synced()
        servers.set_ready(True)
        self._report("ready")
        self.ready.set()
        daemon.log.info(Tag.MODULE_READY, f"{daemon.order.name} is ready")

    async def _close(self) -> None:
        if self._seam is not None:
            self._seam.close()
        if self._servers is not None:
            # A crash is not made longer by waiting for the calls that it cuts.
            await self._servers.stop(grace=0.05 if self._stopping.is_set() else None)
        with trio.CancelScope(shield=True):
            for client in self._clients.values():
                await client.aclose()
        self._print_unshipped()

    def _print_unshipped(self) -> None:
        """What eventd did not get would be lost, and after a crash it is what one wants to read."""
        orderly = self._stopping.is_set()
        while (record := self.daemon.backlog.pop()) is not None:
            if not orderly or record.severity >= Severity.WARNING:
                print(record.to_line(), file=sys.stderr)

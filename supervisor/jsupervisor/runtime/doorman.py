"""Listens in the place of gRPC servers that nobody is calling, so that an idle process never wakes up.

gRPC's threads look around some eleven times a second for as long as a server exists (grpcio 1.85), calls
or none. The supervisor is called rarely: until then a doorman holds its sockets, and trio waits for a
caller without any timer. A caller's connection wakes the servers, which have sockets of their own that
nobody else knows; octets are passed on both ways, and TLS and who is who are theirs. When the last
connection has been gone for a while, the servers end and with them gRPC's threads.
"""

from __future__ import annotations

import gc
import itertools
import os
import socket
from collections.abc import Callable
from typing import Final

import trio

from jsupervisor.paths import PLAIN, RPC
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.servers import Servers
from jsupervisor.runtime.sockets import Place, sweep

DOZE: Final = 10.0
"""Seconds without a connection after which the servers end."""
BUFFER: Final = 65536


class Doorman:
    """Stands for the servers that `build` makes: hidden ones, with everything registered."""

    def __init__(
        self, order: Order, build: Callable[[int], Servers], nursery: trio.Nursery
    ) -> None:
        """`build` is given a number, other each time, for the hidden sockets."""
        self._order = order
        self._build = build
        self._nursery = nursery
        self._numbers = itertools.count(1)
        self._inside: Servers | None = None
        self._places: dict[str, Place] = {}
        self._connections = 0
        self._ready = False
        self._dozing: trio.CancelScope | None = None

    @property
    def awake(self) -> bool:
        """Are there servers now?"""
        return self._inside is not None

    def start_plain(self) -> None:
        """Let callers of the plain socket come; raises SocketPathError or OSError."""
        self._open(PLAIN)

    def start_rpc(self) -> None:
        """Let all others come; raises SocketPathError or OSError."""
        self._open(RPC)
        sweep(self._order.run_dir, self._order.name, self._order.incarnation)
        if self._inside is not None:
            self._inside.start_rpc()

    def block(self) -> None:
        """The fault `block-pool`."""
        self._wake().block()

    def set_ready(self, ready: bool) -> None:
        """Health says SERVING exactly when ready."""
        self._ready = ready
        if self._inside is not None:
            self._inside.set_ready(ready)

    async def stop(self, grace: float | None = 0.05) -> None:
        """As of Servers."""
        if self._inside is not None:
            await self._inside.stop(grace)
        for place in self._places.values():
            place.withdraw()

    def _open(self, kind: str) -> None:
        order = self._order
        place = Place(order.run_dir, order.name, kind, order.incarnation)
        listener = trio.socket.from_stdlib_socket(_listener(place.path))
        place.publish()
        self._places[kind] = place
        self._nursery.start_soon(self._accept, listener, kind)

    async def _accept(self, listener: trio.socket.SocketType, kind: str) -> None:
        with listener:
            while True:
                caller, _ = await listener.accept()
                self._connections += 1
                if self._dozing is not None:
                    self._dozing.cancel()
                self._nursery.start_soon(self._pass_on, caller, kind)

    async def _pass_on(self, caller: trio.socket.SocketType, kind: str) -> None:
        try:
            with caller, trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as inside:
                await inside.connect(self._wake().path(kind))
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_pump, caller, inside)
                    nursery.start_soon(_pump, inside, caller)
        except OSError:
            pass  # it has gone, or the servers have just ended: a client connects again
        finally:
            self._connections -= 1
            if not self._connections:
                self._nursery.start_soon(self._doze)

    def _wake(self) -> Servers:
        if self._inside is None:
            # Servers that end remove their sockets' files: these must not be their successors'.
            self._inside = self._build(next(self._numbers))
            self._inside.set_ready(self._ready)
            self._inside.start_plain()
            if RPC in self._places:
                self._inside.start_rpc()
        return self._inside

    async def _doze(self) -> None:
        """End the servers, unless somebody comes in time."""
        with trio.CancelScope() as self._dozing:
            await trio.sleep(DOZE)
            inside = self._inside
            if inside is None or self._connections:
                return
            self._inside = None
            await inside.stop()
            del inside
            gc.collect()  # gRPC's threads end with the last object that may use them


async def _pump(source: trio.socket.SocketType, sink: trio.socket.SocketType) -> None:
    """Pass on what comes, to its end."""
    try:
        while data := await source.recv(BUFFER):
            rest = memoryview(data)
            while rest:
                rest = rest[await sink.send(rest) :]
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already


def _listener(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.bind(path)
        os.chmod(path, 0o600)
        listener.listen(128)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener

"""One process of the full runtime: what there is once for it, around one daemon or all of them.

Signals, the connection to init and the faults that come over it belong to the process. In the
monolithic architecture the daemons are tasks of one loop and the packet engines threads, and any
unhandled failure of one of them is the end of all: that is the point of that experiment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Final, Protocol

import trio

from jsupervisor import linux
from jsupervisor.initproto import Connection
from jsupervisor.phases import Stamps
from jsupervisor.runtime import injected
from jsupervisor.runtime.crash import CrashTrace
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.descriptors import InitGone
from jsupervisor.runtime.entry import EntryError, load
from jsupervisor.runtime.host import Host
from jsupervisor.runtime.hosted import HostedEngine
from jsupervisor.runtime.identity import Identity, IdentityError, identity_key, take
from jsupervisor.runtime.initlink import Descriptors, InitLink
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rehearsal import rehearse
from jsupervisor.runtime.rpc import Client
from jsupervisor.runtime.signals import reset_signals
from jsupervisor.runtime.sockets import SocketPathError

NOT_WANTED: Final = 125
"""Exit code of a spare that was called too late: nobody counts it."""


def run_full(
    order: Order,
    init: Connection,
    trace: CrashTrace | None = None,
    stamps: Stamps | None = None,
    *,
    waits: bool = False,
) -> int:
    """Run the order's daemon, or its parts, to the end; the process's exit code, 0 when asked to stop.

    A process that `waits` is a warm spare: it does what it can ahead, and nothing until it is called.
    The caller should leave by os._exit: threads of gRPC may still wait for something.
    """
    reset_signals()
    trace = trace or CrashTrace()
    trace.enable()
    try:
        trio.run(partial(_Process(order, init, {} if stamps is None else stamps).run, waits))
    except BaseException as error:  # noqa: BLE001 - becomes the exit code
        return exit_code(error, trace)
    return 0


def exit_code(error: BaseException, trace: CrashTrace) -> int:
    """Say on stderr and in the trace what ended the process; a crash's exit code."""
    known = (EntryError, SocketPathError, IdentityError, InitGone)
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, known):
        trace.end(str(error))
    else:
        trace.end_by(error)
    return 1


class Part(Protocol):
    """A module in this process, whichever runtime it is written for."""

    async def run(self) -> None:
        """To its end; what it raises is a crash."""

    async def reload(self) -> None:
        """Soft restart."""

    def stop(self) -> None:
        """Ask for an orderly end."""


class _Process:
    def __init__(self, order: Order, init: Connection, stamps: Stamps) -> None:
        self._order = order
        self._link = InitLink(
            init,
            on_fault=self._fault,
            on_stop=self._stop,
            parts=frozenset(part.name for part in order.parts),
            stamps=stamps,
        )
        self._parts: list[Part] = []
        self._asked = False
        """To stop."""
        self._identity: Identity | None = None
        self._clients: Mapping[str, Client] = {}
        """What a spare has prepared."""

    async def run(self, waits: bool = False) -> None:
        """To the end of every daemon; `waits` for its call first."""
        self._link.mark("loop")
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve_init)
                if waits:
                    await self._wait()
                for order in self._order.parts or (self._order,):
                    self._parts.append(await self._part(order))
                if self._asked:  # while init was answering
                    self._stop()
                nursery.start_soon(self._signals, signals)
                async with trio.open_nursery() as modules:
                    for part in self._parts:
                        modules.start_soon(part.run)
                nursery.cancel_scope.cancel()

    async def _wait(self) -> None:
        """Do everything once that a start does, then nothing until init calls."""
        order = self._order
        self._identity = await self._take_identity(order.name)
        self._clients = await rehearse(order, self._identity, load(order.entry))
        if not await self._link.wait_called(order.name, order.incarnation):
            os._exit(NOT_WANTED)
        self._link.mark("granted")
        linux.set_process_name(order.name)

    async def _take_identity(self, name: str) -> Identity:
        return take(await Descriptors(self._link).get(identity_key(name)), name)

    async def _part(self, order: Order) -> Part:
        found = load(order.entry)
        if issubclass(found, Daemon):
            part = order.name if self._order.parts else None
            report = partial(self._link.report, part=part)
            descriptors = Descriptors(self._link)
            identity = self._identity or await self._take_identity(order.name)
            self._link.mark("identified")
            return Host(
                found(order),
                descriptors,
                report,
                identity,
                mark=self._link.mark,
                clients=self._clients,
            )
        if self._order.parts:
            return HostedEngine(order, self._link)
        raise EntryError(f"cannot run {order.entry!r}: it is not a Daemon")

    async def _serve_init(self) -> None:
        try:
            await self._link.serve()
        except InitGone as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)

    async def _signals(self, signals: AsyncIterator[int]) -> None:
        async for number in signals:
            if number == signal.SIGHUP:
                for part in self._parts:
                    await part.reload()
            else:
                self._stop()

    def _fault(self, kind: str) -> None:
        """Carry out a fault; that of the RPC threads is for those who have them."""
        if kind != "block-pool":
            injected.carry_out(kind)
        for part in self._parts:
            if kind == "block-pool" and isinstance(part, Host):
                part.block_pool()

    def _stop(self) -> None:
        self._asked = True
        for part in self._parts:
            part.stop()

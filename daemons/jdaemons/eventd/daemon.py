"""The shell of eventd: the Log service in, files and streams out.

Each file has a task that writes what waits for it in a worker thread, so that a slow disk delays
nothing but the file; while one batch is being written the next one gathers.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import grpc
import trio

from jdaemons.eventd.core import Core, EventdTag
from jdaemons.eventd.events import (
    Event,
    HostNamed,
    ReaderCame,
    ReaderLeft,
    RecordCame,
    Say,
    WakeReader,
    WakeWriters,
    WriteFailed,
    Written,
)
from jdaemons.eventd.files import LogFile, read_rule
from jdaemons.eventd.services import LogServicer
from jdaemons.eventd.wire import WireError, read_host_name, read_record
from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.feed import Change, FeedSource
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Record, Severity, Sink
from jsupervisor.runtime.rpc import Seam
from jsupervisor.runtime.shipping import as_message

RETRY_SECONDS: Final = 1.0
LAST_SECONDS: Final = 0.3
"""How long a stop waits for the last lines to be written."""
_SYSTEM: Final = "system"


class Eventd(Daemon):
    """The event processing process."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.core = Core(order.instance)
        rule, folder = read_rule(order.options), Path(order.home, "log")
        self.files = {name: LogFile(folder / name, rule) for name in self.core.spools}
        self._writers = {name: trio.Event() for name in self.core.spools}
        self._readers: dict[int, trio.Event] = {}
        self._numbers = itertools.count()

    def feeds_in(self) -> Sequence[FeedSource]:
        """The host name; nothing waits for it."""
        return (FeedSource("mgd", "config", (_SYSTEM,), gating=False),)

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """The Log service."""
        servicer = LogServicer(seam, self.write, self.tail)
        eventd_pb2_grpc.add_LogServicer_to_server(servicer, server)

    def log_sink(self) -> Sink:
        """Own records go straight into the collector."""
        return self._collect

    async def run(self, nursery: trio.Nursery) -> None:
        """Start a writer for each file."""
        for name in self.core.spools:
            nursery.start_soon(self._write_file, name)

    async def stop(self) -> None:
        """Give what waits a moment to reach its file."""
        with trio.move_on_after(LAST_SECONDS):
            while any(spool.waiting for spool in self.core.spools.values()):
                await trio.sleep(LAST_SECONDS / 30)

    async def on_change(self, change: Change) -> None:
        """The configuration of the system changed."""
        if _SYSTEM in change.removed:
            self._handle(HostNamed(None))
        if _SYSTEM in change.upserts:
            try:
                self._handle(HostNamed(read_host_name(change.upserts[_SYSTEM])))
            except WireError as error:
                self.log.error(EventdTag.EVENTD_CONFIG_READ_FAILED, str(error))

    async def write(self, messages: AsyncIterator[eventd_pb2.LogRecord]) -> eventd_pb2.WriteReply:
        """A module's records, for as long as it sends any."""
        accepted = 0
        async for message in messages:
            self._collect(read_record(message))
            accepted += 1
        return eventd_pb2.WriteReply(accepted=accepted)

    async def tail(self, request: eventd_pb2.TailRequest) -> AsyncIterator[eventd_pb2.TailReply]:
        """Records from now on, for as long as the reader listens."""
        reader = next(self._numbers)
        self._readers[reader] = trio.Event()
        self._handle(ReaderCame(reader, request.module))
        try:
            while True:
                taken = self.core.tails[reader].take()
                if taken is not None:
                    record, dropped = taken
                    yield eventd_pb2.TailReply(record=as_message(record), dropped=dropped)
                    continue
                await self._readers[reader].wait()
                self._readers[reader] = trio.Event()
        finally:
            self._handle(ReaderLeft(reader))
            del self._readers[reader]

    def _collect(self, record: Record) -> None:
        self._handle(RecordCame(record))

    def _handle(self, event: Event) -> None:
        for command in self.core.handle(event):
            match command:
                case WakeWriters():
                    for wake in self._writers.values():
                        wake.set()
                case WakeReader(reader):
                    self._readers[reader].set()
                case Say(severity, tag, text):
                    say = self.log.error if severity >= Severity.ERROR else self.log.notice
                    say(tag, text)

    async def _write_file(self, name: str) -> None:
        """Write what waits for one file, for ever."""
        spool, file = self.core.spools[name], self.files[name]
        try:
            while True:
                self._writers[name] = trio.Event()
                batch = spool.begin()
                if not batch:
                    await self._writers[name].wait()
                    continue
                try:
                    await trio.to_thread.run_sync(file.append, batch)
                except OSError as error:
                    self._handle(WriteFailed(name, error.strerror or str(error)))
                    await trio.sleep(RETRY_SECONDS)
                else:
                    self._handle(Written(name))
        finally:
            file.close()

"""Carries a module's log records to eventd, without ever making the module wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Final

import trio

from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.log import Backlog
from jsupervisor.runtime.record import Record
from jsupervisor.runtime.rpc import Client, RpcError, soon

RETRY_SECONDS: Final = 0.2


def as_message(record: Record) -> eventd_pb2.LogRecord:
    """A record as eventd.proto has it."""
    return eventd_pb2.LogRecord(
        time_ns=record.time_ns,
        monotonic_ns=record.monotonic_ns,
        module=record.module,
        executable=record.executable,
        pid=record.pid,
        incarnation=record.incarnation,
        severity=eventd_pb2.Severity.ValueType(record.severity),
        tag=record.tag,
        text=record.text,
        fields=dict(record.fields),
        number=record.number,
    )


async def ship(backlog: Backlog, client: Client, done: trio.Event) -> None:
    """Send what is in the backlog, and what comes into it, until it ends; then set `done`.

    Records that were on their way when eventd died are lost; their numbers are missing there. Whose
    backlog has ended does not wait for another eventd.
    """
    write = eventd_pb2_grpc.LogStub(client.channel).Write
    while True:
        last = backlog.ended
        try:
            await client.collect(write, _records(backlog), timeout=None, wait_for_ready=not last)
        except RpcError:
            if last:
                break
        if backlog.ended and not len(backlog):
            break
        with trio.move_on_after(RETRY_SECONDS):
            await _end(backlog)
    done.set()


async def _end(backlog: Backlog) -> None:
    """Wait for the backlog's end."""
    token = trio.lowlevel.current_trio_token()
    while True:
        changed = trio.Event()
        backlog.on_change = partial(soon, token, changed.set)
        if backlog.ended:
            return
        await changed.wait()


async def _records(backlog: Backlog) -> AsyncGenerator[eventd_pb2.LogRecord, None]:
    token = trio.lowlevel.current_trio_token()
    while True:
        came = trio.Event()
        backlog.on_change = partial(soon, token, came.set)
        while (record := backlog.pop()) is not None:
            yield as_message(record)
        if backlog.ended:
            return
        await came.wait()

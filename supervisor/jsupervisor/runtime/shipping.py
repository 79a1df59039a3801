"""Carries a module's log records to eventd, without ever making the module wait."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

import trio

from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.log import Backlog
from jsupervisor.runtime.record import Record
from jsupervisor.runtime.rpc import Client, RpcError

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


async def ship(backlog: Backlog, client: Client) -> None:
    """Send what is in the backlog, and what comes into it, until cancelled.

    Records that were on their way when eventd died are lost; their numbers are missing there.
    """
    write = eventd_pb2_grpc.LogStub(client.channel).Write
    while True:
        records = _records(backlog)
        try:
            await client.collect(write, records, timeout=None)
        except RpcError:
            pass
        await trio.sleep(RETRY_SECONDS)


async def _records(backlog: Backlog) -> AsyncGenerator[eventd_pb2.LogRecord, None]:
    while True:
        came = trio.Event()
        backlog.on_record = came.set
        while (record := backlog.pop()) is not None:
            yield as_message(record)
        await came.wait()

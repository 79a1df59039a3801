"""One reader of the event stream: what it wants, from where on, and none twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import grpc
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.journal import read_history
from jsupervisor.jlaunchd.ledger import Ledger, after, seq_of
from jsupervisor.jlaunchd.watchers import Watchers
from jsupervisor.runtime.rpc import RpcError

Wanted = Callable[[Message], bool]

EVERYTHING: Final = -1
"""Records of old journals have no number and count as 0."""


def wanted(request: pb.WatchRequest) -> Wanted:
    """Is a record among those asked for?"""
    names, events = frozenset(request.names), frozenset(request.events)
    return lambda record: (
        (not names or record["name"] in names) and (not events or record["event"] in events)
    )


async def watched(
    request: pb.WatchRequest, watchers: Watchers, ledger: Ledger, journal: Path
) -> AsyncIterator[Message]:
    """The records asked for, first those kept, then each as it comes.

    Raises RpcError when the reader is too slow: it was cut, and may go on after the last number.
    """
    wants, told = wanted(request), EVERYTHING
    with watchers.watching() as records:
        if request.history or request.after_seq:
            since = request.after_seq or EVERYTHING
            kept = await trio.to_thread.run_sync(read_history, journal)
            for record in list(after(kept, ledger.recent(), since)):
                told = max(told, seq_of(record))
                if wants(record):
                    yield record
        async for record in records:
            if seq_of(record) > told and wants(record):
                yield record
    raise RpcError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "cannot go on: the events were not read in time; go on with after_seq",
    )

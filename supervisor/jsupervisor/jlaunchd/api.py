"""The operator's gRPC service. The servicer is thin: `operations` answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Protocol

import grpc

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jprotos.jlaunchd.v1 import jlaunchd_pb2_grpc
from jsupervisor.initproto import Json, Message
from jsupervisor.runtime.rpc import Seam


class Answers(Protocol):
    """What answers the calls; each raises RpcError with a clear line."""

    async def list_modules(self, request: pb.ListRequest) -> pb.ListReply:
        """All modules, in the profile's order."""

    def watch(self, request: pb.WatchRequest) -> AsyncIterator[pb.Event]:
        """Event records as they come."""

    async def restart(self, request: pb.RestartRequest) -> pb.RestartReply:
        """Replace a module, and wait for the successor."""

    async def start_module(self, request: pb.StartRequest) -> pb.StartReply:
        """Want a module up."""

    async def stop_module(self, request: pb.StopRequest) -> pb.StopReply:
        """Want a module down."""


class SupervisorServicer(jlaunchd_pb2_grpc.SupervisorServicer):
    """Carries calls to what answers them."""

    def __init__(self, seam: Seam, operations: Answers) -> None:
        self._seam = seam
        self._operations = operations

    def List(self, request: pb.ListRequest, context: grpc.ServicerContext) -> pb.ListReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.list_modules, request)

    def Watch(self, request: pb.WatchRequest, context: grpc.ServicerContext) -> Iterator[pb.Event]:
        """See the proto."""
        return self._seam.stream(context, self._operations.watch, request)

    def Restart(self, request: pb.RestartRequest, context: grpc.ServicerContext) -> pb.RestartReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.restart, request)

    def Start(self, request: pb.StartRequest, context: grpc.ServicerContext) -> pb.StartReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.start_module, request)

    def Stop(self, request: pb.StopRequest, context: grpc.ServicerContext) -> pb.StopReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.stop_module, request)


def event_message(record: Mapping[str, Json]) -> pb.Event:
    """An event record as a message."""
    downtime = record["downtime_ms"]
    event = pb.Event(
        name=str(record["name"]),
        event=str(record["event"]),
        incarnation=_int(record["incarnation"]),
        cause=str(record["cause"]),
        monotonic_ns=_int(record["monotonic_ns"]),
        time=str(record["time"]),
        attempt=_int(record["attempt"]),
        next=str(record["next"]),
    )
    if isinstance(downtime, int | float):
        event.downtime_ms = downtime
    return event


def module_message(published: Message) -> pb.Module:
    """A published module as a message."""
    return pb.Module(
        name=str(published["name"]),
        executable=str(published["executable"]),
        cli_name=str(published["cli_name"]),
        display_name=str(published["display_name"]),
        pid=_int(published["pid"]),
        incarnation=_int(published["incarnation"]),
        state=str(published["state"]),
        restarts=_int(published["restarts"]),
        last_cause=str(published["last_cause"]),
        ready_at=str(published["ready_at"] or ""),
    )


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0

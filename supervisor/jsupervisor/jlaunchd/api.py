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

    async def set_policy(self, request: pb.SetPolicyRequest) -> pb.SetPolicyReply:
        """Put a module, a group or everything under another policy."""

    async def reload(self, request: pb.ReloadRequest) -> pb.ReloadReply:
        """Read the profile again."""

    async def history(self, request: pb.HistoryRequest) -> pb.HistoryReply:
        """Event records kept so far."""

    async def inject(self, request: pb.InjectRequest) -> pb.InjectReply:
        """Inject a fault."""

    async def clear(self, request: pb.ClearRequest) -> pb.ClearReply:
        """Take a fault back, and forget failures."""

    async def metrics(self, request: pb.MetricsRequest) -> pb.MetricsReply:
        """What every process uses and has been through."""

    async def kill_process(self, request: pb.KillProcessRequest) -> pb.KillProcessReply:
        """Signal a process, as gNOI's System service does."""


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

    def SetPolicy(
        self, request: pb.SetPolicyRequest, context: grpc.ServicerContext
    ) -> pb.SetPolicyReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.set_policy, request)

    def Reload(self, request: pb.ReloadRequest, context: grpc.ServicerContext) -> pb.ReloadReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.reload, request)

    def History(self, request: pb.HistoryRequest, context: grpc.ServicerContext) -> pb.HistoryReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.history, request)

    def Inject(self, request: pb.InjectRequest, context: grpc.ServicerContext) -> pb.InjectReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.inject, request)

    def Clear(self, request: pb.ClearRequest, context: grpc.ServicerContext) -> pb.ClearReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.clear, request)

    def Metrics(self, request: pb.MetricsRequest, context: grpc.ServicerContext) -> pb.MetricsReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.metrics, request)

    def KillProcess(
        self, request: pb.KillProcessRequest, context: grpc.ServicerContext
    ) -> pb.KillProcessReply:
        """See the proto."""
        return self._seam.unary(context, self._operations.kill_process, request)


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
        seq=_int(record.get("seq")),
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
        policy=str(published["policy"]),
        group=str(published["group"] or ""),
        failures=_int(published["failures"]),
        waits_for=[str(name) for name in _list(published["waits_for"])],
    )


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []

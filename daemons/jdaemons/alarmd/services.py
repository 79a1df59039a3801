"""The Alarms service: hands each call to the daemon in its loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc

from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
from jsupervisor.runtime.rpc import Seam

RaiseHandler = Callable[[alarmd_pb2.RaiseRequest], Awaitable[alarmd_pb2.RaiseReply]]
ClearHandler = Callable[[alarmd_pb2.ClearRequest], Awaitable[alarmd_pb2.ClearReply]]


class AlarmsServicer(alarmd_pb2_grpc.AlarmsServicer):
    """See alarmd.proto."""

    def __init__(self, seam: Seam, on_raise: RaiseHandler, on_clear: ClearHandler) -> None:
        self._seam = seam
        self._on_raise = on_raise
        self._on_clear = on_clear

    def Raise(
        self, request: alarmd_pb2.RaiseRequest, context: grpc.ServicerContext
    ) -> alarmd_pb2.RaiseReply:
        """A condition holds."""
        return self._seam.unary(context, self._on_raise, request)

    def Clear(
        self, request: alarmd_pb2.ClearRequest, context: grpc.ServicerContext
    ) -> alarmd_pb2.ClearReply:
        """It holds no longer."""
        return self._seam.unary(context, self._on_clear, request)

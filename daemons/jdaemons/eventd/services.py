"""The Log service: hands each call to the daemon in its loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import grpc

from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.rpc import Seam

WriteHandler = Callable[[AsyncIterator[eventd_pb2.LogRecord]], Awaitable[eventd_pb2.WriteReply]]
TailHandler = Callable[[eventd_pb2.TailRequest], AsyncIterator[eventd_pb2.TailReply]]


class LogServicer(eventd_pb2_grpc.LogServicer):
    """See eventd.proto."""

    def __init__(self, seam: Seam, on_write: WriteHandler, on_tail: TailHandler) -> None:
        self._seam = seam
        self._on_write = on_write
        self._on_tail = on_tail

    def Write(
        self, request_iterator: Iterator[eventd_pb2.LogRecord], context: grpc.ServicerContext
    ) -> eventd_pb2.WriteReply:
        """A module's records."""
        return self._seam.collect(context, self._on_write, request_iterator)

    def Tail(
        self, request: eventd_pb2.TailRequest, context: grpc.ServicerContext
    ) -> Iterator[eventd_pb2.TailReply]:
        """Records from now on."""
        return self._seam.stream(context, self._on_tail, request)

"""Where gRPC's threads meet trio: the only such place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import grpc

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class RpcError(Exception):
    """A call ended with a status other than OK: raised by a handler to answer so, and to a caller."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Seam:
    """Carries a server's calls from gRPC's threads into the trio loop."""

    def unary(
        self,
        context: grpc.ServicerContext,
        handler: Callable[[Request], Awaitable[Reply]],
        request: Request,
    ) -> Reply:
        """Answer one request with one reply."""
        raise NotImplementedError

    def stream(
        self,
        context: grpc.ServicerContext,
        handler: Callable[[Request], AsyncIterator[Reply]],
        request: Request,
    ) -> Iterator[Reply]:
        """Answer one request with a stream."""
        raise NotImplementedError

    def collect(
        self,
        context: grpc.ServicerContext,
        handler: Callable[[AsyncIterator[Request]], Awaitable[Reply]],
        requests: Iterator[Request],
    ) -> Reply:
        """Answer a stream of requests with one reply."""
        raise NotImplementedError


class Client:
    """One channel to another module, for callers in trio."""

    channel: grpc.Channel

    def __init__(self, target: str, *, caller: str) -> None:
        self.target = target

    async def unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Reply],
        request: Request,
        *,
        timeout: float,
    ) -> Reply:
        """The reply; raises RpcError."""
        raise NotImplementedError

    def stream(
        self, method: grpc.UnaryStreamMultiCallable[Request, Reply], request: Request
    ) -> AbstractAsyncContextManager[AsyncIterator[Reply]]:
        """The replies, as they come."""
        raise NotImplementedError

    async def collect(
        self,
        method: grpc.StreamUnaryMultiCallable[Request, Reply],
        requests: AsyncIterator[Request],
        *,
        timeout: float | None,
    ) -> Reply:
        """Send requests as they come; the reply to them all."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close the channel."""
        raise NotImplementedError

"""Counts the calls that a module serves: by method and by how they ended, refused ones included.

An interceptor rather than a line in every servicer, so that no daemon can forget to count. It wraps the
handler, not the context: a call costs it two readings of the clock and a turn of one lock. Only
methods that are registered are counted, so a caller cannot make the table grow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import grpc

OK: Final = "OK"
UNKNOWN: Final = "UNKNOWN"
"""What grpc answers for a handler that raised and named no status."""
CANCELLED: Final = "CANCELLED"


@dataclass(frozen=True, slots=True)
class MethodCount:
    """Calls of one method that ended in one way."""

    method: str
    code: str
    handled: int
    nanoseconds: int
    """From taking the call to its end, summed."""


class RpcStats:
    """The counters of one server. Threads may use it at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self._in_flight = 0

    def began(self) -> int:
        """A call has begun; the time, for `ended`."""
        with self._lock:
            self._in_flight += 1
        return time.monotonic_ns()

    def ended(self, method: str, code: str, began: int) -> None:
        """The call is over."""
        took = time.monotonic_ns() - began
        with self._lock:
            self._in_flight -= 1
            handled, nanoseconds = self._counts.get((method, code), (0, 0))
            self._counts[method, code] = (handled + 1, nanoseconds + took)

    @property
    def in_flight(self) -> int:
        """Calls that have not ended yet, open streams included."""
        return self._in_flight

    def counts(self) -> list[MethodCount]:
        """All counters, by method and code."""
        with self._lock:
            items = sorted(self._counts.items())
        return [MethodCount(*key, *value) for key, value in items]


class RpcCounter(grpc.ServerInterceptor):
    """Counts every call of a registered method. Belongs first in the list, to see refusals too."""

    def __init__(self, stats: RpcStats) -> None:
        self._stats = stats

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """As of grpc.ServerInterceptor."""
        handler = continuation(handler_call_details)
        if handler is None:
            return None
        return _counted(handler, handler_call_details.method, self._stats)


def _counted(handler: Any, method: str, stats: RpcStats) -> Any:
    make: Callable[..., Any]
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            inner, make = handler.unary_unary, grpc.unary_unary_rpc_method_handler
        case False, True:
            inner, make = handler.unary_stream, grpc.unary_stream_rpc_method_handler
        case True, False:
            inner, make = handler.stream_unary, grpc.stream_unary_rpc_method_handler
        case _:
            inner, make = handler.stream_stream, grpc.stream_stream_rpc_method_handler
    wrap = _stream if handler.response_streaming else _single
    return make(
        wrap(inner, method, stats),
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def _single(inner: Callable[..., Any], method: str, stats: RpcStats) -> Callable[..., Any]:
    def call(request: Any, context: Any) -> Any:
        began, code = stats.began(), UNKNOWN
        try:
            reply = inner(request, context)
            code = _name(context, OK)
            return reply
        except BaseException:
            code = _name(context, UNKNOWN)
            raise
        finally:
            stats.ended(method, code, began)

    return call


def _stream(inner: Callable[..., Any], method: str, stats: RpcStats) -> Callable[..., Any]:
    def call(request: Any, context: Any) -> Iterator[Any]:
        began, code = stats.began(), CANCELLED
        try:
            replies: Iterable[Any] = inner(request, context)
            yield from replies
            code = _name(context, OK)
        except GeneratorExit:
            raise  # the caller has gone: grpc drops the stream where it stands
        except BaseException:
            code = _name(context, UNKNOWN)
            raise
        finally:
            stats.ended(method, code, began)

    return call


def _name(context: Any, otherwise: str) -> str:
    """The status that the handler has set, by abort or by set_code."""
    code = context.code()
    return code.name if isinstance(code, grpc.StatusCode) else otherwise

"""Stands before every call of a module's RPC server: who calls, by its certificate, and may it?

The caller is judged before its message is decoded, so that what somebody without the right has sent is
never looked at. A refusal is counted like any other end of a call (see `rpcstats`) and logged, once
in a while: whoever keeps knocking must not fill the log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

import grpc

from jsupervisor.runtime.callers import message_refusal, method_refusal
from jsupervisor.runtime.identity import name_in

QUIET: Final = 10.0
"""Seconds between two lines about the same caller and method."""

OnRefusal = Callable[[str], None]
"""Told why, in one line, in a thread of gRPC's."""


class CallerCheck(grpc.ServerInterceptor):
    """The rule of `callers`, applied to the calls of one server of one instance."""

    def __init__(
        self,
        allowed: Mapping[str, frozenset[str]],
        instance: str,
        clock: Callable[[], float],
        on_refusal: OnRefusal,
    ) -> None:
        self._allowed = allowed
        self._instance = instance
        self._clock = clock
        self._on_refusal = on_refusal
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], float] = {}

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """As of grpc.ServerInterceptor."""
        handler = continuation(handler_call_details)
        return None if handler is None else self._guarded(handler, handler_call_details.method)

    def _guarded(self, handler: Any, method: str) -> Any:
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
        decode = handler.request_deserializer or _as_it_is
        guarded = self._stream if handler.request_streaming else self._single
        return make(guarded(inner, method, decode), response_serializer=handler.response_serializer)

    def _single(self, inner: Callable[..., Any], method: str, decode: Callable[..., Any]) -> Any:
        def call(data: bytes, context: grpc.ServicerContext) -> Any:
            caller = self._admit(method, context)
            request = _decoded(data, decode, context)
            why = message_refusal(self._allowed, method, request, caller)
            if why is not None:
                self._refuse(why, method, caller, context)
            return inner(request, context)

        return call

    def _stream(self, inner: Callable[..., Any], method: str, decode: Callable[..., Any]) -> Any:
        def call(messages: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            self._admit(method, context)
            return inner((_decoded(each, decode, context) for each in messages), context)

        return call

    def _admit(self, method: str, context: grpc.ServicerContext) -> str:
        """The caller's name; ends the call when it may not use the method."""
        # What its type calls bytes are lists of them.
        verified = cast("Mapping[str, Iterable[bytes]]", context.auth_context())
        caller = name_in(verified, self._instance)
        why = method_refusal(self._allowed, method, caller)
        if why is not None:
            self._refuse(why, method, caller, context)
        return caller

    def _refuse(self, why: str, method: str, caller: str, context: grpc.ServicerContext) -> None:
        now = self._clock()
        with self._lock:
            last = self._told.get((caller, method))
            telling = last is None or now - last >= QUIET
            if telling:
                self._told[caller, method] = now
        if telling:
            self._on_refusal(why)
        context.abort(grpc.StatusCode.PERMISSION_DENIED, why)


def _as_it_is(data: bytes) -> bytes:
    return data


def _decoded(data: bytes, decode: Callable[[bytes], Any], context: grpc.ServicerContext) -> Any:
    try:
        return decode(data)
    except Exception:  # noqa: BLE001 - whatever a decoder finds wrong with it
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "cannot read the request")

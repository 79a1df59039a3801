"""Counting calls, over a real server: every way a call can end, each kind of call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from jsupervisor.runtime.rpcstats import MethodCount, RpcCounter, RpcStats

DEADLINE = 10.0


class Echo(grpc.GenericRpcHandler):
    """A service whose methods end in the way that the request names."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        match details.method:
            case "/echo/Unary":
                return grpc.unary_unary_rpc_method_handler(self.unary)
            case "/echo/Stream":
                return grpc.unary_stream_rpc_method_handler(self.stream)
            case "/echo/Collect":
                return grpc.stream_unary_rpc_method_handler(self.collect)
            case "/echo/Both":
                return grpc.stream_stream_rpc_method_handler(self.both)
            case _:
                return None

    def unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        match request:
            case b"abort":
                context.abort(grpc.StatusCode.NOT_FOUND, "cannot find it")
            case b"raise":
                raise ValueError("a defect")
            case b"wait":
                self.released.wait(DEADLINE)
            case b"set":
                context.set_code(grpc.StatusCode.OUT_OF_RANGE)
            case _:
                pass
        return request

    def stream(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield b"first"
        if request == b"abort":
            context.abort(grpc.StatusCode.UNAVAILABLE, "cannot go on")
        while request == b"endless" and context.is_active():
            yield b"more"
        yield b"last"

    def collect(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return b"".join(requests)

    def both(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from requests


class Counted:
    """A server with a counter, and a channel to it."""

    def __init__(self, path: Path) -> None:
        self.stats = RpcStats()
        self.echo = Echo()
        self._pool = ThreadPoolExecutor(4)
        self._server = grpc.server(self._pool, interceptors=[RpcCounter(self.stats)])
        self._server.add_generic_rpc_handlers((self.echo,))
        self._server.add_insecure_port(f"unix:{path}")
        self._server.start()
        self.channel = grpc.insecure_channel(f"unix:{path}")

    @property
    def unary_method(self) -> grpc.UnaryUnaryMultiCallable[bytes, bytes]:
        return self.channel.unary_unary("/echo/Unary")

    @property
    def stream_method(self) -> grpc.UnaryStreamMultiCallable[bytes, bytes]:
        return self.channel.unary_stream("/echo/Stream")

    @property
    def collect_method(self) -> grpc.StreamUnaryMultiCallable[bytes, bytes]:
        return self.channel.stream_unary("/echo/Collect")

    @property
    def both_method(self) -> grpc.StreamStreamMultiCallable[bytes, bytes]:
        return self.channel.stream_stream("/echo/Both")

    @property
    def invented_method(self) -> grpc.UnaryUnaryMultiCallable[bytes, bytes]:
        return self.channel.unary_unary("/echo/Invented")

    def close(self) -> None:
        self.channel.close()
        self._server.stop(None).wait(DEADLINE)
        self._pool.shutdown()

    def unary(self, request: bytes) -> bytes | grpc.StatusCode:
        try:
            return self.unary_method(request, timeout=DEADLINE)
        except grpc.RpcError as error:
            code: grpc.StatusCode = vars(error)["_state"].code
            return code

    def codes(self) -> dict[tuple[str, str], int]:
        return {(count.method, count.code): count.handled for count in self.stats.counts()}


@pytest.fixture
def counted(run_dir: Path) -> Iterator[Counted]:
    server = Counted(run_dir / "echo.sock")
    yield server
    server.close()


def settled(counted: Counted, done: Callable[[], bool]) -> bool:
    """The reply of a call leaves before its handler's last line has run."""
    for _ in range(1000):
        if done():
            return True
        threading.Event().wait(DEADLINE / 1000)
    return False


def test_a_call_is_counted_by_its_method_and_its_end(counted: Counted) -> None:
    answers = [counted.unary(request) for request in (b"x", b"x", b"abort", b"raise", b"set")]

    assert [
        b"x",
        b"x",
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.OUT_OF_RANGE,
    ] == answers
    assert settled(counted, lambda: counted.stats.in_flight == 0)
    assert {
        ("/echo/Unary", "OK"): 2,
        ("/echo/Unary", "NOT_FOUND"): 1,
        ("/echo/Unary", "UNKNOWN"): 1,
        ("/echo/Unary", "OUT_OF_RANGE"): 1,
    } == counted.codes()


def test_every_kind_of_stream_is_counted_once_at_its_end(counted: Counted) -> None:
    list(counted.stream_method(b"x", timeout=DEADLINE))
    counted.collect_method(iter([b"a", b"b"]), timeout=DEADLINE)
    list(counted.both_method(iter([b"a", b"b"]), timeout=DEADLINE))

    assert settled(counted, lambda: len(counted.stats.counts()) == 3)
    assert {
        ("/echo/Stream", "OK"): 1,
        ("/echo/Collect", "OK"): 1,
        ("/echo/Both", "OK"): 1,
    } == counted.codes()


def test_a_stream_that_breaks_off_is_counted_with_its_status(counted: Counted) -> None:
    with pytest.raises(grpc.RpcError):
        list(counted.stream_method(b"abort", timeout=DEADLINE))

    assert settled(counted, lambda: counted.stats.in_flight == 0)
    assert {("/echo/Stream", "UNAVAILABLE"): 1} == counted.codes()


def test_a_stream_that_its_caller_leaves_is_not_in_flight_for_ever(counted: Counted) -> None:
    call = counted.stream_method(b"endless", timeout=DEADLINE)
    next(call)
    open_streams = counted.stats.in_flight
    call.cancel()

    assert 1 == open_streams
    assert settled(counted, lambda: counted.stats.in_flight == 0)
    assert 1 == sum(count.handled for count in counted.stats.counts())


def test_a_call_under_way_is_in_flight_and_not_counted_yet(counted: Counted) -> None:
    call = counted.unary_method.future(b"wait", timeout=DEADLINE)

    assert settled(counted, lambda: counted.stats.in_flight == 1)
    assert {} == counted.codes()
    counted.echo.released.set()
    call.result()
    assert settled(counted, lambda: counted.codes() == {("/echo/Unary", "OK"): 1})


def test_a_method_that_nobody_has_registered_is_not_counted(counted: Counted) -> None:
    with pytest.raises(grpc.RpcError):
        counted.invented_method(b"x", timeout=DEADLINE)

    assert {} == counted.codes()


def test_time_and_number_add_up() -> None:
    stats = RpcStats()
    for _ in range(3):
        stats.ended("/a/B", "OK", stats.began())
    (count,) = stats.counts()

    assert 3 == count.handled
    assert count.nanoseconds >= 0
    assert MethodCount("/a/B", "OK", 3, count.nanoseconds) == count

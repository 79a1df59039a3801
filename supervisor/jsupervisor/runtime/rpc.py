"""Where gRPC's threads meet trio: the only such place.

grpcio has no trio support, so the synchronous server is used and each call hops into the loop from
its pool thread. A unary call is one hop there and back. Streams go through a bounded queue, because an
async generator must be driven by one and the same task from beginning to end; the queue's bound is the
stream's back-pressure. A caller's deadline becomes the deadline of a cancel scope, its cancellation
cancels that scope. In the other direction a call is a future whose callback wakes the loop, and a
stream has a reader thread that waits while the reader in the loop has not caught up.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final, Generic, NoReturn, Self, TypeVar

import grpc
import trio

from jsupervisor.runtime.identity import Identity
from jsupervisor.runtime.queues import Inlet, Outlet

Request = TypeVar("Request")
Reply = TypeVar("Reply")

# grpc imports these when they are first used, which would be after the fork: 10 ms of each start.
for _module in ("grpc._channel", "grpc._interceptor", "grpc._server"):
    import_module(_module)

MAX_MESSAGE: Final = 16 * 1024 * 1024
DEPTH: Final = 8
"""Messages that may wait between a thread and the loop."""

CHANNEL_OPTIONS: Final = (
    # The defaults add up to 1.8 s of outage after a one-second restart.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
    # Else channels of one process with one target share a connection, and sessions cannot be told apart.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.max_send_message_length", MAX_MESSAGE),
    ("grpc.enable_http_proxy", 0),
)


class RpcError(Exception):
    """A call ended with a status other than OK: raised by a handler to answer so, and to a caller."""

    def __init__(self, code: grpc.StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Seam:
    """Carries a server's calls from gRPC's threads into the trio loop."""

    def __init__(self, token: trio.lowlevel.TrioToken, *, streams_max: int = 64) -> None:
        self._token = token
        self._streams = threading.BoundedSemaphore(streams_max)
        self._streams_max = streams_max
        self._open: set[_Job[Any]] = set()

    def close(self) -> None:
        """End every open stream, so that the server need not wait for them."""
        for job in list(self._open):
            job.cancel()

    def unary(
        self,
        context: grpc.ServicerContext,
        handler: Callable[[Request], Awaitable[Reply]],
        request: Request,
    ) -> Reply:
        """Answer one request with one reply."""
        job = _Job(self._token, context, lambda: handler(request))
        try:
            return trio.from_thread.run(job.run, trio_token=self._token)
        except (Exception, trio.Cancelled) as error:  # noqa: BLE001 - becomes the call's status
            _abort(context, error)

    def stream(
        self,
        context: grpc.ServicerContext,
        handler: Callable[[Request], AsyncIterator[Reply]],
        request: Request,
    ) -> Iterator[Reply]:
        """Answer one request with a stream; RESOURCE_EXHAUSTED when too many streams are open."""
        self._take_place(context)
        outlet = Outlet[Reply](self._token, DEPTH)
        job = _Job(self._token, context, lambda: outlet.pump(handler(request)), outlet.abandon)
        try:
            self._open.add(job)
            self._spawn(job, outlet.finish)
            yield from outlet
        except (Exception, trio.Cancelled) as error:  # noqa: BLE001 - becomes the call's status
            _abort(context, error)
        finally:
            self._open.discard(job)
            job.cancel()
            self._streams.release()

    def collect(
        self,
        context: grpc.ServicerContext,
        handler: Callable[[AsyncIterator[Request]], Awaitable[Reply]],
        requests: Iterator[Request],
    ) -> Reply:
        """Answer a stream of requests with one reply.

        A handler that returns before the requests end is heard at the next request, since the thread
        that would answer waits for it.
        """
        self._take_place(context)
        inlet = Inlet[Request](self._token, DEPTH)
        outcome = _Outcome[Reply]()

        def finished(error: BaseException | None) -> None:
            outcome.set(job.result, error)
            inlet.abandon()

        def let_go() -> None:
            outcome.set(None, _Abandoned())
            inlet.abandon()

        job = _Job(self._token, context, lambda: handler(inlet), let_go)
        try:
            self._open.add(job)
            self._spawn(job, finished)
            inlet.feed(requests)
            return outcome.wait()
        except (Exception, trio.Cancelled) as error:  # noqa: BLE001 - becomes the call's status
            _abort(context, error)
        finally:
            self._open.discard(job)
            job.cancel()
            self._streams.release()

    def _take_place(self, context: grpc.ServicerContext) -> None:
        if not self._streams.acquire(blocking=False):
            text = f"cannot open another stream: {self._streams_max} are open"
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)

    def _spawn(self, job: _Job[Any], finished: Callable[[BaseException | None], object]) -> None:
        async def run() -> None:
            # An exception that left a system task would end the whole loop.
            error: BaseException | None = _Abandoned()
            try:
                await job.run()
                error = None
            except Exception as raised:  # noqa: BLE001 - raised again in the call's thread
                error = raised
            finally:
                finished(error)

        self._token.run_sync_soon(trio.lowlevel.spawn_system_task, run)


class _Abandoned(Exception):
    """The loop ended before the handler did."""


class _Job(Generic[Reply]):
    """One call's work in the loop, with the caller's deadline and cancellation around it."""

    def __init__(
        self,
        token: trio.lowlevel.TrioToken,
        context: grpc.ServicerContext,
        body: Callable[[], Awaitable[Reply]],
        cancelled: Callable[[], None] | None = None,
    ) -> None:
        self._token = token
        self._scope = trio.CancelScope()
        self._body = body
        self._cancelled = cancelled
        self._remaining: float | None = context.time_remaining()
        self.result: Reply | None = None
        if not context.add_callback(self.cancel):
            self._scope.cancel()

    async def run(self) -> Reply:
        """Do it; raises trio.TooSlowError when cut short."""
        with self._scope:
            if self._remaining is not None:
                self._scope.deadline = trio.current_time() + self._remaining
            self.result = await self._body()
            return self.result
        raise trio.TooSlowError

    def cancel(self) -> None:
        """End it, from any thread; also called when the call has ended by itself."""
        if self._cancelled is not None:
            self._cancelled()
        soon(self._token, self._scope.cancel)


class _Outcome(Generic[Reply]):
    """A result that a thread waits for."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._value: Reply | None = None
        self._error: BaseException | None = None

    def set(self, value: Reply | None, error: BaseException | None) -> None:
        """Give the result, or why there is none; the first word counts."""
        if not self._done.is_set():
            self._value, self._error = value, error
            self._done.set()

    def wait(self) -> Reply:
        """The result; raises what was raised."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        assert self._value is not None
        return self._value


def soon(token: trio.lowlevel.TrioToken, function: Callable[[], object]) -> None:
    """Have the loop call `function`; nothing happens when the loop has ended."""
    try:
        token.run_sync_soon(function)
    except trio.RunFinishedError:
        pass


def _abort(context: grpc.ServicerContext, error: BaseException) -> NoReturn:
    match error:
        case RpcError():
            context.abort(error.code, error.text)
        case trio.TooSlowError():
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "cannot answer in time")
        case trio.RunFinishedError() | trio.Cancelled() | _Abandoned():
            context.abort(grpc.StatusCode.UNAVAILABLE, "cannot answer: the module is stopping")
        case grpc.RpcError():
            # Reading the requests failed: the caller has gone, nobody hears the answer.
            context.abort(grpc.StatusCode.CANCELLED, "the caller has gone")
        case _:
            traceback.print_exception(error)
            text = f"cannot answer: {type(error).__name__}: {error}"
            context.abort(grpc.StatusCode.INTERNAL, text)


class Client:
    """Owns one channel to another module, for callers in trio. Connects when it is first used.

    A socket that is not there yet is waited for, so a call to a dead module ends with its timeout.
    """

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel

    @classmethod
    def to(cls, path: str, identity: Identity, server: str) -> Self:
        """Speak as `identity` to the socket at `path`, where nobody but the module `server` will do."""
        return cls(identity.channel(path, server, CHANNEL_OPTIONS))

    def reach(self) -> None:
        """Begin to connect, so that the first call finds it done; nobody waits, and nothing can fail."""
        self._state(connect=True)

    @property
    def reached(self) -> bool:
        """Is the other side connected at this moment?"""
        return self._state(connect=False) == grpc.ChannelConnectivity.READY.value[0]

    def _state(self, *, connect: bool) -> int | None:
        # What grpcio offers in public starts a thread that looks all the time.
        inner: Any = getattr(self.channel, "_channel", None)
        return None if inner is None else int(inner.check_connectivity_state(connect))

    async def unary(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Reply],
        request: Request,
        *,
        timeout: float,
        wait_for_ready: bool = True,
    ) -> Reply:
        """The reply; raises RpcError. `timeout` in seconds."""
        call = method.future(request, timeout=timeout, wait_for_ready=wait_for_ready)
        reply: Reply = await _result(call)
        return reply

    @asynccontextmanager
    async def stream(
        self, method: grpc.UnaryStreamMultiCallable[Request, Reply], request: Request
    ) -> AsyncGenerator[AsyncIterator[Reply], None]:
        """The replies, as they come; iterating raises RpcError when the stream breaks."""
        call = method(request, wait_for_ready=True)
        inlet = Inlet[Reply](trio.lowlevel.current_trio_token(), DEPTH)
        reader = threading.Thread(target=_read, args=(call, inlet), daemon=True)
        reader.start()
        try:
            yield inlet
        finally:
            inlet.abandon()
            call.cancel()

    async def collect(
        self,
        method: grpc.StreamUnaryMultiCallable[Request, Reply],
        requests: AsyncIterator[Request],
        *,
        timeout: float | None,
        wait_for_ready: bool = True,
    ) -> Reply:
        """Send requests as they come; the reply to them all. Raises RpcError."""
        outlet = Outlet[Request](trio.lowlevel.current_trio_token(), DEPTH)
        call = method.future(iter(outlet), timeout=timeout, wait_for_ready=wait_for_ready)
        refused: RpcError | None = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_send, outlet, requests)
                try:
                    reply: Reply = await _result(call)
                except RpcError as error:
                    # Raised below, since the nursery would wrap it into a group.
                    refused = error
                nursery.cancel_scope.cancel()
        finally:
            call.cancel()
            outlet.abandon()
        if refused is not None:
            raise refused
        return reply

    def ask(
        self,
        method: grpc.UnaryUnaryMultiCallable[Request, Reply],
        request: Request,
        end: Callable[[bool], None],
        *,
        timeout: float,
    ) -> None:
        """Send without waiting. `end` is told, in another thread, whether there was a reply in time."""
        call = method.future(request, timeout=timeout, wait_for_ready=True)
        call.add_done_callback(lambda ended: end(_answered(ended)))

    async def aclose(self) -> None:
        """Close the channel; calls in progress end as cancelled."""
        self.channel.close()


def _answered(call: Any) -> bool:
    return bool(call.code() is grpc.StatusCode.OK)


async def _send(outlet: Outlet[Request], requests: AsyncIterator[Request]) -> None:
    await outlet.pump(requests)
    outlet.finish(None)


async def _result(call: Any) -> Any:
    """The result of a gRPC future, which is cancelled when the waiting task is."""
    token = trio.lowlevel.current_trio_token()
    done = trio.Event()
    call.add_done_callback(lambda _: soon(token, done.set))
    try:
        await done.wait()
    finally:
        call.cancel()
    try:
        return call.result()
    except grpc.FutureCancelledError as error:
        raise RpcError(
            grpc.StatusCode.CANCELLED, "cannot finish: the call was cancelled"
        ) from error
    except grpc.RpcError as error:
        raise _rpc_error(error) from None


def _read(call: Any, inlet: Inlet[Any]) -> None:
    """Body of a stream's reader thread."""
    try:
        inlet.feed(call)
    except grpc.RpcError as error:
        inlet.finish(_rpc_error(error))


def _rpc_error(error: Any) -> RpcError:
    return RpcError(error.code(), error.details() or "")

"""The seam between gRPC's threads and trio, both ways, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import trio
import trio.testing

from jsupervisor.runtime.rpc import CHANNEL_OPTIONS, Client, RpcError, Seam

Handler = Callable[[Any], Any]


def client_to(path: str) -> Client:
    return Client(grpc.insecure_channel(f"unix:{path}", options=CHANNEL_OPTIONS))


class Fixture:
    """A server whose calls go to handlers in this test, and a client."""

    def __init__(self, path: str, seam: Seam) -> None:
        self.client = client_to(path)
        self.unary: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self.client.channel.unary_unary(
            "/t.T/Unary"
        )
        self.stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = self.client.channel.unary_stream(
            "/t.T/Stream"
        )
        self.collect: grpc.StreamUnaryMultiCallable[bytes, bytes] = (
            self.client.channel.stream_unary("/t.T/Collect")
        )
        self.seam = seam


@asynccontextmanager
async def served(
    run_dir: Path,
    *,
    unary: Handler | None = None,
    stream: Handler | None = None,
    collect: Handler | None = None,
    streams_max: int = 4,
) -> AsyncGenerator[Fixture, None]:
    seam = Seam(trio.lowlevel.current_trio_token(), streams_max=streams_max)

    def on_unary(request: bytes, context: grpc.ServicerContext) -> bytes:
        assert unary is not None
        return bytes(seam.unary(context, unary, request))

    def on_stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        assert stream is not None
        return seam.stream(context, stream, request)

    def on_collect(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        assert collect is not None
        return bytes(seam.collect(context, collect, requests))

    server = grpc.server(ThreadPoolExecutor(streams_max + 2))
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Unary": grpc.unary_unary_rpc_method_handler(on_unary),
        "Stream": grpc.unary_stream_rpc_method_handler(on_stream),
        "Collect": grpc.stream_unary_rpc_method_handler(on_collect),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
    server.add_insecure_port(f"unix:{run_dir}/t.sock")
    server.start()
    fixture = Fixture(f"{run_dir}/t.sock", seam)
    try:
        yield fixture
    finally:
        with trio.CancelScope(shield=True):
            await fixture.client.aclose()
            seam.close()
            await trio.to_thread.run_sync(server.stop(0.1).wait)


async def never() -> bytes:
    while True:
        await trio.sleep_forever()


async def endless(request: bytes) -> AsyncIterator[bytes]:
    while True:
        yield request


async def test_a_call_crosses_into_the_loop_and_back(run_dir: Path) -> None:
    async def double(request: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        return request * 2

    async with served(run_dir, unary=double) as t:
        assert b"abab" == await t.client.unary(t.unary, b"ab", timeout=5)


async def test_a_handler_answers_with_a_status(run_dir: Path) -> None:
    async def refuse(request: bytes) -> bytes:
        raise RpcError(grpc.StatusCode.NOT_FOUND, "cannot find it")

    async with served(run_dir, unary=refuse) as t:
        with pytest.raises(RpcError, match="cannot find it") as caught:
            await t.client.unary(t.unary, b"", timeout=5)

    assert grpc.StatusCode.NOT_FOUND == caught.value.code


async def test_a_bug_in_a_handler_is_an_internal_error_of_one_line(
    run_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def broken(request: bytes) -> bytes:
        raise ValueError("a bug")

    async with served(run_dir, unary=broken) as t:
        with pytest.raises(RpcError, match="cannot answer: ValueError: a bug") as caught:
            await t.client.unary(t.unary, b"", timeout=5)

    assert grpc.StatusCode.INTERNAL == caught.value.code
    assert "Traceback" in capfd.readouterr().err


async def test_the_callers_deadline_cuts_the_handler(run_dir: Path) -> None:
    cut = trio.Event()

    async def sleepy(request: bytes) -> bytes:
        try:
            return await never()
        finally:
            cut.set()

    async with served(run_dir, unary=sleepy) as t:
        with pytest.raises(RpcError) as caught:
            await t.client.unary(t.unary, b"", timeout=0.1)
        await cut.wait()

    assert grpc.StatusCode.DEADLINE_EXCEEDED == caught.value.code


async def test_a_caller_that_is_cancelled_cancels_the_handler(run_dir: Path) -> None:
    entered, cut = trio.Event(), trio.Event()

    async def sleepy(request: bytes) -> bytes:
        entered.set()
        try:
            return await never()
        finally:
            cut.set()

    async with served(run_dir, unary=sleepy) as t, trio.open_nursery() as nursery:
        nursery.start_soon(lambda: t.client.unary(t.unary, b"", timeout=60))
        await entered.wait()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await cut.wait()


async def test_a_stream_arrives_whole_and_in_order(run_dir: Path) -> None:
    async def count(request: bytes) -> AsyncIterator[bytes]:
        for number in range(100):
            yield bytes([number])

    async with served(run_dir, stream=count) as t, t.client.stream(t.stream, b"") as replies:
        got = [reply async for reply in replies]

    assert [bytes([number]) for number in range(100)] == got


async def test_a_stream_that_breaks_says_why_after_what_came_before(run_dir: Path) -> None:
    async def breaks(request: bytes) -> AsyncIterator[bytes]:
        yield b"1"
        raise RpcError(grpc.StatusCode.ABORTED, "cannot go on")

    got = []
    async with served(run_dir, stream=breaks) as t:
        with pytest.raises(RpcError, match="cannot go on"):
            async with t.client.stream(t.stream, b"") as replies:
                async for reply in replies:
                    got.append(reply)

    assert [b"1"] == got


async def test_a_reader_that_leaves_ends_the_handler(run_dir: Path) -> None:
    ended = trio.Event()

    async def forever(request: bytes) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            ended.set()

    async with served(run_dir, stream=forever) as t:
        async with t.client.stream(t.stream, b"") as replies:
            async for _ in replies:
                break
        await ended.wait()


async def test_a_reader_that_does_not_read_holds_the_handler_back(run_dir: Path) -> None:
    sent = 0

    async def big(request: bytes) -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1_000_000)

    async with served(run_dir, stream=big) as t, t.client.stream(t.stream, b"") as replies:
        async for _ in replies:
            break
        previous = 0
        while sent != previous:
            previous = sent
            await trio.sleep(0.1)

    assert sent < 60


async def test_a_stream_too_many_is_refused_and_calls_still_work(run_dir: Path) -> None:
    async def echo(request: bytes) -> bytes:
        return request

    async with (
        served(run_dir, unary=echo, stream=endless, streams_max=1) as t,
        t.client.stream(t.stream, b"x") as first,
    ):
        async for _ in first:
            break
        with pytest.raises(RpcError, match="cannot open another stream") as caught:
            async with t.client.stream(t.stream, b"x") as second:
                async for _ in second:
                    pass
        answer = await t.client.unary(t.unary, b"still here", timeout=5)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED == caught.value.code
    assert b"still here" == answer


async def test_requests_are_collected(run_dir: Path) -> None:
    async def join(requests: AsyncIterator[bytes]) -> bytes:
        return b"".join([request async for request in requests])

    async def letters() -> AsyncIterator[bytes]:
        for letter in b"abc" * 20:
            yield bytes([letter])

    async with served(run_dir, collect=join) as t:
        assert b"abc" * 20 == await t.client.collect(t.collect, letters(), timeout=5)


async def test_a_collector_that_refuses_ends_the_call(run_dir: Path) -> None:
    async def refuse(requests: AsyncIterator[bytes]) -> bytes:
        async for _ in requests:
            break
        raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, "cannot take that")

    async with served(run_dir, collect=refuse) as t:
        with pytest.raises(RpcError, match="cannot take that"):
            await t.client.collect(t.collect, endless(b"x"), timeout=5)


async def test_a_sender_that_is_cancelled_ends_the_collector(
    run_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    entered, ended = trio.Event(), trio.Event()

    async def drain(requests: AsyncIterator[bytes]) -> bytes:
        try:
            async for _ in requests:
                entered.set()
        finally:
            ended.set()
        return b"done"

    async def one() -> AsyncIterator[bytes]:
        yield b"x"
        await trio.sleep_forever()

    async with served(run_dir, collect=drain) as t, trio.open_nursery() as nursery:
        nursery.start_soon(lambda: t.client.collect(t.collect, one(), timeout=None))
        await entered.wait()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await ended.wait()

    assert "" == capfd.readouterr().err


async def test_a_call_waits_for_a_socket_that_is_not_there_yet(run_dir: Path) -> None:
    async def echo(request: bytes) -> bytes:
        return request

    client = client_to(f"{run_dir}/t.sock")
    answers: list[bytes] = []

    async def call() -> None:
        method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = client.channel.unary_unary(
            "/t.T/Unary"
        )
        answers.append(await client.unary(method, b"early", timeout=10))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(call)
        await trio.testing.wait_all_tasks_blocked()
        async with served(run_dir, unary=echo):
            while not answers:
                await trio.sleep(0.01)
    await client.aclose()

    assert [b"early"] == answers


async def test_a_call_to_nobody_ends_with_its_timeout(run_dir: Path) -> None:
    client = client_to(f"{run_dir}/nobody.sock")
    method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = client.channel.unary_unary("/t.T/Unary")
    with pytest.raises(RpcError) as caught:
        await client.unary(method, b"", timeout=0.05)
    await client.aclose()

    assert grpc.StatusCode.DEADLINE_EXCEEDED == caught.value.code


async def test_closing_the_seam_ends_open_streams(run_dir: Path) -> None:
    async with served(run_dir, stream=endless) as t, t.client.stream(t.stream, b"x") as replies:
        async for _ in replies:
            break
        t.seam.close()
        async for _ in replies:
            pass


async def test_a_channel_that_was_told_to_reach_needs_no_call_to_connect(run_dir: Path) -> None:
    path = str(run_dir / "t.sock")
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    client, connected = client_to(path), trio.Event()
    token = trio.lowlevel.current_trio_token()

    def note(state: grpc.ChannelConnectivity) -> None:
        if state is grpc.ChannelConnectivity.READY:
            token.run_sync_soon(connected.set)

    client.reach()
    client.channel.subscribe(note)
    with trio.fail_after(10):
        await connected.wait()
    client.channel.unsubscribe(note)
    await client.aclose()
    server.stop(None).wait()

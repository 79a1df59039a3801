"""The HTTP side: every kind of client, against a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from jsupervisor.jlaunchd.scrape import (
    CONNECTIONS,
    DEADLINE,
    MAX_HEAD,
    RETRY_SECONDS,
    Answer,
    ScrapeServer,
)
from jsupervisor.runtime.fakes import short_run_dir

GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def path() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder / "jlaunchd" / "metrics.sock"


async def page() -> Answer:
    return Answer(200, "x 1\n# EOF\n", "application/openmetrics-text")


async def broken() -> Answer:
    raise ZeroDivisionError("a defect")


@asynccontextmanager
async def served(path: Path) -> AsyncGenerator[None, None]:
    server = ScrapeServer({"/metrics": page, "/broken": broken})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_unix, path)
        while not path.exists():
            await trio.lowlevel.checkpoint()
        yield
        nursery.cancel_scope.cancel()


async def exchange(path: Path, request: bytes, *, end: bool = False) -> bytes:
    """Everything that the server has to say to a request."""
    async with await trio.open_unix_socket(path) as stream:
        await stream.send_all(request)
        if end:
            await stream.send_eof()
        return b"".join([part async for part in stream])


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


async def test_a_page_is_answered_and_the_connection_closed(path: Path) -> None:
    async with served(path):
        answer = await exchange(path, GET)
    head, _, body = answer.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: application/openmetrics-text" in head
    assert b"Content-Length: 10" in head
    assert b"x 1\n# EOF\n" == body


async def test_head_gets_the_head_alone(path: Path) -> None:
    async with served(path):
        answer = await exchange(path, b"HEAD /metrics?x=y HTTP/1.0\r\n\r\n")

    assert answer.endswith(b"Content-Length: 10\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /nonsense HTTP/1.1\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405),
        (b"GET /metrics\r\n\r\n", 400),
        (b"GET /metrics HTTP/2.0\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\n\n", 400),
        (b"GET /m\xc3\xa4h HTTP/1.1\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * (2 * MAX_HEAD), 431),
        (b"GET /broken HTTP/1.1\r\n\r\n", 500),
    ],
)
async def test_nonsense_is_answered_with_a_status(
    path: Path, request_: bytes, expected: int
) -> None:
    async with served(path):
        answer = await exchange(path, request_)
        after = await exchange(path, GET)

    assert expected == status(answer)
    assert 200 == status(after)


async def test_a_defect_of_a_page_is_told_to_the_log_alone(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(path):
        answer = await exchange(path, b"GET /broken HTTP/1.1\r\n\r\n")

    assert b"ZeroDivisionError" not in answer
    assert "ZeroDivisionError: a defect" in capsys.readouterr().err


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_is_sent_the_server_lives(garbage: bytes) -> None:
    async def main(path: Path) -> bytes:
        async with served(path):
            await exchange(path, garbage, end=True)
            return await exchange(path, GET)

    with short_run_dir() as folder:
        answer = trio.run(main, folder / "m.sock")

    assert 200 == status(answer)


async def test_a_request_that_ends_in_the_middle_is_refused(path: Path) -> None:
    async with served(path):
        answer = await exchange(path, b"GET /metr", end=True)

    assert 400 == status(answer)


async def test_a_silent_client_is_left_at_the_deadline(
    path: Path, autojump_clock: MockClock
) -> None:
    async with served(path), await trio.open_unix_socket(path) as stream:
        began = trio.current_time()
        answer = await stream.receive_some()
        ended = trio.current_time()

    assert b"" == answer
    assert DEADLINE == pytest.approx(ended - began)


async def test_slow_clients_take_their_places_and_no_more(path: Path) -> None:
    async with served(path):
        slow = [await trio.open_unix_socket(path) for _ in range(CONNECTIONS)]
        for stream in slow:
            await stream.send_all(b"GET ")
        await trio.testing.wait_all_tasks_blocked(0.01)
        refused = await exchange(path, b"")
        for stream in slow:
            await stream.aclose()
        await trio.testing.wait_all_tasks_blocked(0.01)
        after = await exchange(path, GET)

    assert 503 == status(refused)
    assert 200 == status(after)


async def test_a_client_that_goes_away_in_the_middle_of_the_answer_harms_nobody(
    path: Path,
) -> None:
    async def huge() -> Answer:
        return Answer(200, "x" * 10_000_000)

    server = ScrapeServer({"/metrics": huge})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_unix, path)
        while not path.exists():
            await trio.lowlevel.checkpoint()
        for _ in range(3):
            async with await trio.open_unix_socket(path) as stream:
                await stream.send_all(GET)
                await stream.receive_some(10)
        answer = await exchange(path, GET)
        nursery.cancel_scope.cancel()

    assert answer.endswith(b"x" * 1000)


async def test_a_thousand_scrapes_leave_no_descriptor_behind(path: Path) -> None:
    async with served(path):
        await exchange(path, GET)
        await trio.testing.wait_all_tasks_blocked(0.01)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(1000):
            await exchange(path, GET)
        await trio.testing.wait_all_tasks_blocked(0.01)
        after = len(os.listdir("/proc/self/fd"))

    assert before == after


async def test_the_socket_is_its_owner_s_and_takes_the_place_of_a_dead_one(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    path.with_name("metrics.sock.new").write_text("left by a jlaunchd that was killed here")
    server = ScrapeServer({"/metrics": page})
    old = path.stat().st_ino
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_unix, path)
        while path.stat().st_ino == old:
            await trio.lowlevel.checkpoint()
        answer = await exchange(path, GET)
        mode = path.stat().st_mode & 0o777
        nursery.cancel_scope.cancel()

    assert 200 == status(answer)
    assert 0o600 == mode


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_port_that_is_taken_is_told_once_and_tried_again(
    autojump_clock: MockClock,
) -> None:
    told: list[str] = []
    server = ScrapeServer({"/metrics": page})
    port = free_port()
    taken = socket.create_server(("127.0.0.1", port))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.serve_tcp, f"127.0.0.1:{port}", told.append)
        await trio.sleep(10 * RETRY_SECONDS)
        taken.close()
        await trio.sleep(2 * RETRY_SECONDS)
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(GET)
            answer = b"".join([part async for part in stream])
        nursery.cancel_scope.cancel()

    assert [f"cannot listen on 127.0.0.1:{port}: Address already in use; trying again"] == told
    assert 200 == status(answer)

"""The link to init never blocks the supervisor and keeps questions and answers together."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from jsupervisor.initproto import Connection, Message
from jsupervisor.jlaunchd.initlink import InitLink

Ends = tuple[InitLink, Connection]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Our link, and init's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine, other = Connection(ours), Connection(theirs)
    other.settimeout(5)
    yield InitLink(mine), other
    mine.close()
    other.close()


async def test_messages_leave_in_order(ends: Ends) -> None:
    link, init = ends
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        for number in range(3):
            link.send({"op": "ack", "id": number})
        received = [await trio.to_thread.run_sync(init.receive) for _ in range(3)]
        nursery.cancel_scope.cancel()

    assert [0, 1, 2] == [item[0]["id"] for item in received if item is not None]


async def test_sending_to_an_init_that_does_not_read_never_waits(ends: Ends) -> None:
    link, init = ends
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        for number in range(5000):
            link.send({"op": "ack", "id": number, "padding": "x" * 500})
        await trio.testing.wait_all_tasks_blocked()
        first = await trio.to_thread.run_sync(init.receive)
        nursery.cancel_scope.cancel()

    assert first is not None
    assert 0 == first[0]["id"]


async def test_answers_about_descriptors_are_kept_apart_from_messages(ends: Ends) -> None:
    link, init = ends
    heard: list[Message] = []
    answers: list[tuple[Message, list[int]]] = []

    async def hear() -> None:
        async for message in link.messages():
            heard.append(message)

    async def ask(key: str) -> None:
        answers.append(await link.request({"op": "get", "key": key}))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        nursery.start_soon(hear)
        nursery.start_soon(ask, "pfe0/heartbeat")
        await trio.to_thread.run_sync(init.receive)
        init.send({"op": "ping", "number": 1})
        with open("/dev/null", "rb") as null:
            init.send({"op": "done", "key": "pfe0/heartbeat"}, [null.fileno()])
        while not answers:
            await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(ask, "pfe1/heartbeat")
        await trio.to_thread.run_sync(init.receive)
        init.send({"op": "missing", "why": "there is no pfe1/heartbeat"})
        init.close()
        while len(answers) < 2:
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    (found, fds), (missing, none) = answers
    os.close(fds[0])
    assert [{"op": "ping", "number": 1}] == heard
    assert ("done", 1) == (found["op"], len(fds))
    assert ("missing", []) == (missing["op"], none)

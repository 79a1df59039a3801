"""A daemon's connection to init: what it reports and keeps there, and what init pushes to it.

Answers come in the order of the requests, with pushes between them, so the reader hands each answer to
the request that has waited longest.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import trio

from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.phases import KEY, Stamps
from jsupervisor.runtime.descriptors import InitGone, check_drop, check_get, check_put


@dataclass(slots=True)
class _Waiting:
    """A request without its answer."""

    answered: trio.Event = field(default_factory=trio.Event)
    answer: Message | None = None
    fds: list[int] = field(default_factory=list)
    abandoned: bool = False


class InitLink:
    """The one connection of this process to init, shared by all modules in it."""

    def __init__(
        self,
        connection: Connection,
        *,
        on_fault: Callable[[str], None],
        on_stop: Callable[[], None],
        parts: frozenset[str] = frozenset(),
        stamps: Stamps | None = None,
    ) -> None:
        """`parts` are the modules inside a process that hosts several; `stamps` those of its order."""
        self._connection = connection
        self._parts = parts
        self._stamps = {} if stamps is None else stamps
        self._reached: dict[str, set[str]] = {}
        self._on_fault = on_fault
        self._on_stop = on_stop
        self._called = trio.Event()
        self._waiting: deque[_Waiting] = deque()

    async def serve(self) -> None:
        """Read until init is gone, which raises InitGone."""
        while True:
            await trio.lowlevel.wait_readable(self._connection.fileno())
            try:
                received = self._connection.receive()
            except OSError as error:
                raise InitGone(f"cannot hear init: {error}") from error
            if received is None:
                raise InitGone("cannot go on: init is dead")
            self._dispatch(*received)

    def report(self, stage: str, part: str | None = None) -> None:
        """Tell a stage: "serving", "ready" or "forwarding"; `part` is a module of several here.

        The process as a whole has reached a stage when its last part has; it forwards with the first.
        """
        message: dict[str, Json] = {
            "op": "report",
            "stage": stage,
            "monotonic_ns": time.monotonic_ns(),
        }
        if stage == "ready":
            message[KEY] = self._stamps
        if part is not None:
            message["part"] = part
        self._send(message)
        if part is not None and part in self._parts:
            reached = self._reached.setdefault(stage, set())
            reached.add(part)
            if reached == self._parts or (stage == "forwarding" and len(reached) == 1):
                self.report(stage)

    def mark(self, step: str) -> None:
        """This process has reached a step of its start; init hears of all of them with "ready"."""
        self._stamps[step] = time.monotonic_ns()

    async def wait_called(self, name: str, incarnation: int) -> bool:
        """As a warm spare: wait to be called, and claim; False when another one was quicker."""
        self._send({"op": "waiting"})
        await self._called.wait()
        self.mark("woken")
        claim: Message = {"op": "claim", "name": name, "incarnation": incarnation}
        answer, fds = await self.request(claim)
        _close(fds)
        return answer.get("op") == "granted"

    async def request(
        self, message: Message, fds: tuple[int, ...] = ()
    ) -> tuple[Message, list[int]]:
        """The answer to a request, with the descriptors that came; raises InitGone."""
        waiting = _Waiting()
        self._waiting.append(waiting)
        self._send(message, fds)
        try:
            await waiting.answered.wait()
        except BaseException:
            waiting.abandoned = True
            _close(waiting.fds)
            raise
        assert waiting.answer is not None
        return waiting.answer, waiting.fds

    def _send(self, message: Message, fds: tuple[int, ...] = ()) -> None:
        try:
            self._connection.send(message, fds)
        except OSError as error:
            raise InitGone(f"cannot tell init: {error}") from error

    def _dispatch(self, message: Message, fds: list[int]) -> None:
        match message.get("op"):
            case "fault":
                _close(fds)
                self._on_fault(str(message.get("kind")))
            case "become":
                _close(fds)
                stamps = message.get(KEY)
                self._stamps.clear()
                self._stamps.update(stamps if isinstance(stamps, dict) else {})
                self._called.set()
            case "stop":
                _close(fds)
                self._on_stop()
            case _ if self._waiting:
                waiting = self._waiting.popleft()
                if waiting.abandoned:
                    _close(fds)
                    return
                waiting.answer, waiting.fds = message, fds
                waiting.answered.set()
            case _:
                _close(fds)


class Asks(Protocol):
    """A connection to init that can be asked something."""

    async def request(
        self, message: Message, fds: tuple[int, ...] = ()
    ) -> tuple[Message, list[int]]:
        """The answer, with the descriptors that came."""


class Descriptors:
    """Descriptors that outlive this process, kept by init. Keys are SHARE/WHAT."""

    def __init__(self, link: Asks) -> None:
        self._link = link

    async def put(self, key: str, fd: int) -> None:
        """Keep a duplicate of `fd`; raises DescriptorExists when the key is taken."""
        answer, fds = await self._link.request({"op": "put", "key": key}, (fd,))
        _close(fds)
        check_put(key, answer)

    async def get(self, key: str) -> int | None:
        """A descriptor of the caller's own for what is kept as `key`; None when nothing is."""
        answer, fds = await self._link.request({"op": "get", "key": key})
        return check_get(key, answer, fds)

    async def drop(self, key: str) -> None:
        """Let go of `key`; nothing happens when there is none."""
        answer, fds = await self._link.request({"op": "drop", "key": key})
        _close(fds)
        check_drop(key, answer)


def _close(fds: list[int]) -> None:
    while fds:
        os.close(fds.pop())

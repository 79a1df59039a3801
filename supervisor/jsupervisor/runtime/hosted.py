"""A packet engine as a thread of the monolithic process.

It is given a lean host of its own whose "init" is this process: a socket pair, the other end of which
the loop serves by passing requests on over the process's one connection. So the engine's code is the
same in both architectures.
"""

from __future__ import annotations

import os
import socket

import trio

from jsupervisor.initproto import Connection, Message
from jsupervisor.runtime.initlink import InitLink
from jsupervisor.runtime.lean import LeanHost, run_module
from jsupervisor.runtime.order import Order


class PartFailed(Exception):
    """A part of the monolithic process ended with a failure, and so does the process."""


class HostedEngine:
    """One lean module in a thread."""

    def __init__(self, order: Order, link: InitLink) -> None:
        self._order = order
        self._link = link
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours = Connection(ours)
        self._theirs = Connection(theirs)

    async def run(self) -> None:
        """To the engine's end; raises PartFailed or what the engine raised."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._relay)
                # A thread cannot be stopped: when another part crashes it dies with the process.
                code = await trio.to_thread.run_sync(self._work, abandon_on_cancel=True)
                nursery.cancel_scope.cancel()
        finally:
            self._ours.close()
        if code:
            raise PartFailed(f"cannot go on: {self._order.name} ended with {code}")

    def stop(self) -> None:
        """Ask for an orderly end; nothing happens when it has ended."""
        try:
            self._ours.send({"op": "stop"})
        except OSError:
            pass

    async def reload(self) -> None:
        """A soft restart has nothing to re-read here."""

    def _work(self) -> int:
        try:
            return run_module(self._order, LeanHost(self._order, self._theirs))
        finally:
            self._theirs.close()

    async def _relay(self) -> None:
        """Pass on what the engine asks of init, one request at a time, and the answers back."""
        while True:
            await trio.lowlevel.wait_readable(self._ours.fileno())
            received = self._ours.receive()
            if received is None:
                return
            message, fds = received
            try:
                await self._pass_on(message, tuple(fds))
            finally:
                _close(fds)

    async def _pass_on(self, message: Message, fds: tuple[int, ...]) -> None:
        if message.get("op") == "report":
            self._link.report(str(message["stage"]), part=self._order.name)
            return
        answer, answered = await self._link.request(message, fds)
        try:
            self._ours.send(answer, answered)
        finally:
            _close(answered)


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)

"""Who has gone silent: one watch for each module, judged by a small pure counter.

A daemon answers a call that passes its RPC threads and its loop; a packet engine, which has neither,
stamps a word in a memory file. Our own lateness is never held against a module.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.jlaunchd.plan import Heartbeat
from jsupervisor.runtime.rpc import Client, RpcError

WORD: Final = struct.Struct("<q")

Ask = Callable[[], Awaitable[bool]]
"""Asks a module once; True when it answered within its interval."""


class Pulse:
    """Counts the misses in a row."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self.heartbeat = heartbeat
        self.missed = 0

    def note(self, answered: bool, asked_at: float, now: float) -> bool:
        """Note one question asked at `asked_at` and over at `now` (seconds); is the module lost?"""
        if answered:
            self.missed = 0
        elif now - asked_at <= 2 * self.heartbeat.interval:
            self.missed += 1
        return self.missed >= self.heartbeat.misses


async def watch(heartbeat: Heartbeat, ask: Ask) -> None:
    """Return when the module has missed too many heartbeats in a row."""
    pulse = Pulse(heartbeat)
    due = trio.current_time()
    while True:
        due = max(due + heartbeat.interval, trio.current_time())
        await trio.sleep_until(due)
        late = trio.current_time() - due > heartbeat.interval
        asked_at = trio.current_time()
        answered = await ask()
        if not late and pulse.note(answered, asked_at, trio.current_time()):
            return


def ask_by_rpc(client: Client, interval: float) -> Ask:
    """Ask a daemon over its RPC socket."""
    method = runtime_pb2_grpc.RuntimeStub(client.channel).Heartbeat

    async def ask() -> bool:
        try:
            await client.unary(method, runtime_pb2.HeartbeatRequest(), timeout=interval)
        except RpcError:
            return False
        return True

    return ask


def ask_by_word(fd: int, interval: float, monotonic_ns: Callable[[], int]) -> Ask:
    """Look at the word that a lean module stamps with CLOCK_MONOTONIC."""

    async def ask() -> bool:
        data = os.pread(fd, WORD.size, 0)
        stamp: int = WORD.unpack(data)[0] if len(data) == WORD.size else 0
        return monotonic_ns() - stamp <= interval * 1e9

    return ask

"""Watches the heartbeat of every module that has one, each in a task of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

import trio

from jsupervisor.jlaunchd import heartbeat
from jsupervisor.jlaunchd.plan import Heartbeat
from jsupervisor.paths import RPC, socket_path
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.log import Log
from jsupervisor.runtime.rpc import Client


class Hearts:
    """`lost` is told of (name, incarnation) when a module has gone silent."""

    def __init__(
        self, run_dir: str, clock: Clock, log: Log, lost: Callable[[str, int], None]
    ) -> None:
        self._run_dir = run_dir
        self._clock = clock
        self._log = log
        self._lost = lost
        self._scopes: dict[str, trio.CancelScope] = {}
        self._nursery: trio.Nursery
        self._descriptors: Descriptors

    def start(self, nursery: trio.Nursery, descriptors: Descriptors) -> None:
        """From here on `watch` may be called."""
        self._nursery, self._descriptors = nursery, descriptors

    def watch(
        self, name: str, incarnation: int, beat: Heartbeat | None, speaker: str | None
    ) -> None:
        """Watch this incarnation. `speaker` is whose socket answers for it; None: it has a word."""
        self.forget(name)
        if beat is None:
            return
        scope = trio.CancelScope()
        self._scopes[name] = scope
        self._nursery.start_soon(self._run, name, incarnation, beat, speaker, scope)

    def forget(self, name: str) -> None:
        """It is gone, or about to be."""
        scope = self._scopes.pop(name, None)
        if scope is not None:
            scope.cancel()

    async def _run(
        self,
        name: str,
        incarnation: int,
        beat: Heartbeat,
        speaker: str | None,
        scope: trio.CancelScope,
    ) -> None:
        with scope:
            if speaker is None:
                fd = await self._descriptors.get(f"{name}/heartbeat")
                if fd is None:
                    self._log.error("JLAUNCHD_NO_HEARTBEAT", f"{name} keeps no heartbeat word")
                    return
                try:
                    ask = heartbeat.ask_by_word(fd, beat.interval, self._clock.monotonic_ns)
                    await heartbeat.watch(beat, ask)
                finally:
                    os.close(fd)
            else:
                path = socket_path(self._run_dir, speaker, RPC, incarnation)
                client = Client(path, caller="jlaunchd")
                try:
                    await heartbeat.watch(beat, heartbeat.ask_by_rpc(client, beat.interval))
                finally:
                    with trio.CancelScope(shield=True):
                        await client.aclose()
            self._lost(name, incarnation)

"""Sees to it that init forgets an end only after its post-mortem, and that nobody waits for one.

A post-mortem is made a moment after the end: until then the processor belongs to the successor, and what
happens next is known when it is written.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import trio

from jsupervisor.jlaunchd.postmortem import Death, Postmortem
from jsupervisor.runtime.log import Log

PAUSE: Final = 0.3
"""Seconds from an end to its post-mortem."""


class Coroner:
    """Takes notices in their order, and acknowledges them in their order."""

    def __init__(
        self, postmortem: Postmortem, log: Log, acknowledge: Callable[[int], None]
    ) -> None:
        self._postmortem = postmortem
        self._log = log
        self._acknowledge = acknowledge
        self._limiter = trio.CapacityLimiter(1)
        self._send, self._receive = trio.open_memory_channel[tuple[tuple[Death, ...], int]](
            math.inf
        )

    def take(self, deaths: Sequence[Death], notice: int) -> None:
        """These ends are in the journal now, and so is everything up to `notice`."""
        self._send.send_nowait((tuple(deaths), notice))

    async def run(self) -> None:
        """For ever."""
        while True:
            deaths, notice = await self._receive.receive()
            if any(death.failure for death in deaths):
                await trio.sleep(PAUSE)
            waiting = self._receive.statistics().current_buffer_used
            for _ in range(waiting):
                more, later = self._receive.receive_nowait()
                deaths, notice = (*deaths, *more), max(notice, later)
            if deaths:
                await self._examine(deaths)
            if notice:
                self._acknowledge(notice)

    async def _examine(self, deaths: Sequence[Death]) -> None:
        before = self._postmortem.error
        written = await trio.to_thread.run_sync(
            self._postmortem.examine, deaths, limiter=self._limiter
        )
        for path in written:
            self._log.notice("JLAUNCHD_CORE", f"core file {path} written")
        if self._postmortem.error and self._postmortem.error != before:
            self._log.error("JLAUNCHD_CORE", self._postmortem.error)

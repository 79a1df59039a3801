"""The supervisor hears of a death when its successor is there: what it does with it delays nobody.

Judging, writing down and publishing a restart takes longer than the restart of a small program, and on the
same processors. So while a successor by standing order is on its way, what is for jlaunchd is kept back, for
a bounded time and in order. Times inside the messages are those of what happened.
"""

from __future__ import annotations

from typing import Final

from jsupervisor.init.peers import Peer
from jsupervisor.init.table import Phase, Process

ONE_NS: Final = 50_000_000
"""For one successor."""
MORE_NS: Final = 10_000_000
"""For each further one."""
LONGEST_NS: Final = 300_000_000
"""From the first death on, however many follow."""


class Hush:
    """Keeps back what one peer is told while successors start."""

    def __init__(self) -> None:
        self._peer: Peer | None = None
        self._awaited: list[Process] = []
        self._began_ns = 0
        self.deadline_ns: int | None = None

    def keep(self, peer: Peer, successor: Process, now: int) -> None:
        """Tell `peer` nothing until `successor` is ready, or it takes too long."""
        if self.deadline_ns is None:
            self._peer, self._began_ns, self.deadline_ns = peer, now, now + ONE_NS
        elif peer is self._peer:
            latest = self._began_ns + LONGEST_NS
            self.deadline_ns = min(self.deadline_ns + MORE_NS, latest)
        if peer is self._peer:
            peer.held = True
            self._awaited.append(successor)

    def look(self, now: int) -> None:
        """Tell everything that was kept back, if it is time."""
        if self.deadline_ns is None:
            return
        if now < self.deadline_ns and any(map(_on_its_way, self._awaited)):
            return
        peer, self._peer, self.deadline_ns = self._peer, None, None
        self._awaited.clear()
        assert peer is not None
        peer.release()


def _on_its_way(process: Process) -> bool:
    return process.phase is not Phase.GONE and "ready" not in process.reached

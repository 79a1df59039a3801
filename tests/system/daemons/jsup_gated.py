"""A daemon that is ready when a file is there: it stands in for whatever becomes ready late."""

from __future__ import annotations

from pathlib import Path

import trio

from jsupervisor.runtime.daemon import Daemon


class Gated(Daemon):
    """Option `gate`: the file that it waits for."""

    async def settled(self) -> None:
        """Wait for the gate."""
        gate = trio.Path(Path(str(self.order.options["gate"])))
        while not await gate.exists():
            await trio.sleep(0.005)

"""A daemon that writes numbered lines to its stderr without a pause."""

from __future__ import annotations

import os
import threading

import trio

from jsupervisor.runtime.daemon import Daemon


class Chatty(Daemon):
    """Writes `INCARNATION NUMBER` and some padding, line by line, until it dies."""

    async def run(self, nursery: trio.Nursery) -> None:
        """Write in a thread, so that the loop stays free."""
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        number = 0
        while True:
            # As traceback and print do it, in the end: one write for a line.
            os.write(2, b"%d %d %s\n" % (self.order.incarnation, number, b"x" * 100))
            number += 1
            threading.Event().wait(0.00005)

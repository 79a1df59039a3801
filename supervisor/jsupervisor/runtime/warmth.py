"""What a process may do ahead without being a module: run the loop once, so that its pages are its own.

No thread may be started: whoever does this is to give up rights, and those hold for one thread only.
"""

from __future__ import annotations

import signal

import trio


def run_loop_once() -> None:
    """Go through what a daemon's start needs of trio."""
    trio.run(_once)


async def _once() -> None:
    with trio.open_signal_receiver(signal.SIGTERM):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.lowlevel.checkpoint)
            with trio.move_on_after(0):
                await trio.sleep_forever()

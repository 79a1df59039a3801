"""When a start reached which step: stamps that travel with its order, for whoever asks where the time went.

Whoever handles the order stamps it: jlaunchd, init, the launcher, the newborn process, its runtime.
The process sends them to init with its report that it is ready, and `status` of init has them. Times
are CLOCK_MONOTONIC in ns. `bench/run restart-phases` reads them.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Final

from jsupervisor.initproto import Json

KEY: Final = "phases"

Stamps = dict[str, Json]


def stamps_of(order: MutableMapping[str, Json]) -> Stamps:
    """The stamps of an order, to add to."""
    known = order.get(KEY)
    if isinstance(known, dict):
        return known
    fresh: Stamps = {}
    order[KEY] = fresh
    return fresh


def stamp(order: MutableMapping[str, Json], step: str) -> None:
    """The order has reached this step."""
    stamps_of(order)[step] = time.monotonic_ns()

"""Sessions between modules, as the clients count them. Pure.

A session is one feed that one module consumes. Its client counts the streams that ended without its
asking; the producer's word is not needed, and jlaunchd's even less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One consumed feed at one moment."""

    consumer: str
    producer: str
    topic: str
    connected: bool
    synced: bool
    dropped: int
    """Streams that were established and then ended without the consumer's asking."""
    established: int
    incarnation: int
    """The producer's."""
    resync_changes: int
    """Items that differed, summed over all resynchronisations after the first."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Who consumes what of whom."""
        return self.consumer, self.producer, self.topic


def dropped_among_others(
    before: Iterable[Session], after: Iterable[Session], victims: Collection[str]
) -> list[tuple[str, str, str]]:
    """The sessions between modules that are no victims and that were dropped in between.

    A session is listed once for every drop. One that disappeared counts as dropped: its consumer was
    replaced, and its counters with it.
    """
    now = {session.key: session for session in after}
    dropped: list[tuple[str, str, str]] = []
    for session in before:
        if session.consumer in victims or session.producer in victims:
            continue
        later = now.get(session.key)
        if later is None or later.established < session.established:
            dropped.append(session.key)
        else:
            dropped.extend([session.key] * max(0, later.dropped - session.dropped))
    return dropped

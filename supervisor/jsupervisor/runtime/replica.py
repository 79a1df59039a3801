"""The consumer's half of feeds, without I/O: last known state, mark and sweep.

Known state stays when the producer dies. A new snapshot is compared with it message by message, so
that the work is spread over the snapshot and only differences are kept; nothing is applied before the
snapshot's end, so that the module never sees half of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import iter_unpack
from typing import Generic, TypeVar

from jprotos.feed.v1.feed_pb2 import (
    KIND_DELTA,
    KIND_END_OF_SNAPSHOT,
    KIND_SNAPSHOT,
    Packed,
    Update,
    WatchRequest,
)
from jsupervisor.runtime.feed import Change, FeedSource

Key = TypeVar("Key", str, bytes)


class FeedError(Exception):
    """A producer does not keep to the feed's rules; the stream is cut and begun anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One consumed feed, as Runtime.Stats tells of it."""

    producer: str
    topic: str
    connected: bool
    synced: bool
    """End-of-snapshot was heard on the stream that is connected now."""
    dropped: int
    """Streams that were established and then ended without this module asking for it."""
    established: int
    incarnation: int
    seq: int
    resync_changes: int
    """Items that differed, summed over all resynchronisations after the first."""


class _Store(Generic[Key]):
    """One kind of keyed values: what is known, and a snapshot in progress against it."""

    def __init__(self) -> None:
        self.known: dict[Key, bytes] = {}
        self._differing: dict[Key, bytes] = {}
        self._unseen: set[Key] = set()

    def begin(self) -> None:
        """A snapshot begins: nothing of it has been seen."""
        self._differing = {}
        self._unseen = set(self.known)

    def forget(self) -> None:
        """The snapshot in progress will not be finished."""
        self._differing = {}
        self._unseen = set()

    def mark(self, entries: Iterable[tuple[Key, bytes]], removed: Iterable[Key]) -> None:
        """The snapshot holds `entries`, and no longer holds `removed`."""
        for key, value in entries:
            self._unseen.discard(key)
            if self.known.get(key) == value:
                self._differing.pop(key, None)
            else:
                self._differing[key] = value
        for key in removed:
            self._differing.pop(key, None)
            if key in self.known:
                self._unseen.add(key)

    def sweep(self) -> tuple[dict[Key, bytes], frozenset[Key]]:
        """The snapshot is whole: apply it; what differed and what went."""
        upserts, removed = self._differing, frozenset(self._unseen)
        self.forget()
        self._apply(upserts, removed)
        return upserts, removed

    def update(
        self, entries: Iterable[tuple[Key, bytes]], removed: Iterable[Key]
    ) -> tuple[dict[Key, bytes], frozenset[Key]]:
        """Apply a delta; what really differed and what really went."""
        upserts = {key: value for key, value in entries if self.known.get(key) != value}
        gone = frozenset(key for key in removed if key in self.known)
        self._apply(upserts, gone)
        return upserts, gone

    def _apply(self, upserts: dict[Key, bytes], removed: frozenset[Key]) -> None:
        self.known.update(upserts)
        for key in removed:
            del self.known[key]


class Replica:
    """The consumer's end of one feed."""

    def __init__(self, source: FeedSource) -> None:
        self.source = source
        self.items = _Store[str]()
        self.packed = _Store[bytes]()
        self.incarnation = 0
        self.seq = 0
        self.connected = False
        self.synced = False
        self.ever_synced = False
        self.dropped = 0
        self.established = 0
        self.resync_changes = 0
        self._snapshot: tuple[int, int] | None = None

    def request(self) -> WatchRequest:
        """What to ask for at the next connection."""
        return WatchRequest(
            topic=self.source.topic,
            prefixes=self.source.prefixes,
            last_incarnation=self.incarnation,
            last_seq=self.seq,
        )

    def session(self) -> Session:
        """The counters, now."""
        return Session(
            producer=self.source.producer,
            topic=self.source.topic,
            connected=self.connected,
            synced=self.synced,
            dropped=self.dropped,
            established=self.established,
            incarnation=self.incarnation,
            seq=self.seq,
            resync_changes=self.resync_changes,
        )

    def disconnected(self, *, wanted: bool = False) -> None:
        """The stream ended; `wanted` when it was this module that ended it."""
        if self.connected and not wanted:
            self.dropped += 1
        self.connected = self.synced = False
        self._snapshot = None
        self.items.forget()
        self.packed.forget()

    def handle(self, update: Update) -> Change | None:
        """Take one message; what really changed, if anything. Raises FeedError."""
        if not self.connected:
            self.connected = True
            self.established += 1
        if update.kind == KIND_SNAPSHOT:
            self._mark(update)
            return None
        if update.kind == KIND_END_OF_SNAPSHOT:
            return self._end(update)
        if update.kind == KIND_DELTA:
            return self._delta(update)
        raise FeedError(f"cannot take a message of kind {update.kind} on {self.source.topic}")

    def _mark(self, update: Update) -> None:
        snapshot = (update.incarnation, update.seq)
        if snapshot != self._snapshot:
            self._snapshot = snapshot
            self.synced = False
            self.items.begin()
            self.packed.begin()
        self.items.mark(*_items(update))
        self.packed.mark(*_packed(update.packed))

    def _end(self, update: Update) -> Change | None:
        if update.resumed:
            if (update.incarnation, update.seq) != (self.incarnation, self.seq):
                raise FeedError(f"cannot resume {self.source.topic} at a seq not asked for")
            self.synced = self.ever_synced = True
            return None
        if self._snapshot is None or self._snapshot[0] != update.incarnation:
            raise FeedError(f"cannot end a snapshot of {self.source.topic} that did not begin")
        self._snapshot = None
        change = self._change(self.items.sweep(), self.packed.sweep(), resync=True)
        if change is not None and self.ever_synced:
            self.resync_changes += _size(change)
        self.incarnation, self.seq = update.incarnation, update.seq
        self.synced = self.ever_synced = True
        return change

    def _delta(self, update: Update) -> Change | None:
        if not self.synced or update.incarnation != self.incarnation:
            raise FeedError(f"cannot take a delta of {self.source.topic} without its snapshot")
        change = self._change(
            self.items.update(*_items(update)),
            self.packed.update(*_packed(update.packed)),
            resync=False,
        )
        self.seq = update.seq
        return change

    def _change(
        self,
        items: tuple[dict[str, bytes], frozenset[str]],
        packed: tuple[dict[bytes, bytes], frozenset[bytes]],
        *,
        resync: bool,
    ) -> Change | None:
        if not any((*items, *packed)):
            return None
        return Change(
            producer=self.source.producer,
            topic=self.source.topic,
            resync=resync,
            upserts=items[0],
            removed=items[1],
            packed_upserts=packed[0],
            packed_removed=packed[1],
        )


def _size(change: Change) -> int:
    return (
        len(change.upserts)
        + len(change.removed)
        + len(change.packed_upserts)
        + len(change.packed_removed)
    )


def _items(update: Update) -> tuple[list[tuple[str, bytes]], list[str]]:
    entries = [(item.key, item.value) for item in update.items if not item.removed]
    return entries, [item.key for item in update.items if item.removed]


def _packed(packed: Packed) -> tuple[Iterable[tuple[bytes, bytes]], Iterable[bytes]]:
    """The records in columns of octets; raises FeedError when the columns do not fit."""
    keys = _column(packed.keys, packed.key_size)
    # Keys alone make a set: there are no values to split.
    wide = packed.value_size > 0
    values = _column(packed.values, packed.value_size) if wide else [b""] * len(keys)
    if len(keys) != len(values):
        raise FeedError(f"cannot take {len(keys)} keys with {len(values)} values")
    return zip(keys, values, strict=True), _column(packed.removed, packed.key_size)


def _column(octets: bytes, size: int) -> list[bytes]:
    if not octets:
        return []
    if size == 0 or len(octets) % size:
        raise FeedError(f"cannot split {len(octets)} octets into records of {size}")
    return [record for (record,) in iter_unpack(f"{size}s", octets)]

"""The producer's half of feeds, without I/O: a module's state, and what each subscriber lacks of it.

The `Publisher` is the state; each subscriber has a `Subscription`, which remembers only *which keys*
differ from what it sent, never values, so that a consumer that does not read costs a bounded set of
keys and delays nobody. When that set outgrows its bound it is thrown away and a new snapshot begins
on the same stream.

Two rules on the wire make this safe against a cut at any message. All messages of one snapshot carry
the seq at which it began, so another seq begins another snapshot. A set of changes that needs several
deltas carries the new seq in its last one only, so that a resumed stream never skips half of it.
The consumer's half is `jsupervisor.runtime.replica`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from jprotos.feed.v1.feed_pb2 import (
    KIND_DELTA,
    KIND_END_OF_SNAPSHOT,
    KIND_SNAPSHOT,
    Item,
    Kind,
    Packed,
    Update,
    WatchRequest,
)


@dataclass(frozen=True, slots=True)
class FeedSource:
    """One feed that a module consumes."""

    producer: str
    """Unique module name; its socket is RUN/producer/rpc.sock."""
    topic: str
    prefixes: tuple[str, ...] = ()
    """Only items whose key begins with one of these; none means all. Packed records always come."""
    gating: bool = True
    """Does readiness wait for it?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs from what was known, after mark and sweep; never an unchanged key.

    Apply in this order: items upserted, packed upserts, packed removals, item removals.
    """

    producer: str
    topic: str
    resync: bool = False
    """The difference against a new snapshot, not a delta."""
    upserts: Mapping[str, bytes] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    packed_upserts: Mapping[bytes, bytes] = field(default_factory=dict)
    packed_removed: frozenset[bytes] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of messages and queues."""

    items: int = 500
    """Items in one message."""
    octets: int = 64 * 1024
    """Packed octets in one message; a turn of the loop stays short."""
    backlog: int = 8192
    """Keys that may wait for one subscriber, or a quarter of the state if that is more: from there
    on a snapshot is cheaper than the difference."""


DEFAULT_LIMITS: Final = Limits()


class Publisher:
    """The producer's end of one feed: the state itself. Used from the trio loop only."""

    def __init__(self, topic: str, *, value_size: int = 0, key_size: int = 0) -> None:
        self.topic = topic
        self.value_size = value_size
        self.key_size = key_size
        self.incarnation = 0
        """Set by the runtime before anybody can subscribe."""
        self.seq = 0
        """Counts changes that were published."""
        self.synced = False
        self._items: dict[str, bytes] = {}
        self._packed: dict[bytes, bytes] = {}
        self._subscriptions: dict[Subscription, None] = {}

    @property
    def items(self) -> Mapping[str, bytes]:
        """The items published now."""
        return MappingProxyType(self._items)

    @property
    def packed(self) -> Mapping[bytes, bytes]:
        """The packed records published now."""
        return MappingProxyType(self._packed)

    def set(self, key: str, value: bytes) -> None:
        """Publish an item; nothing happens when it is published like this already."""
        if self._items.get(key) != value:
            self._items[key] = value
            self._changed((key,), ())

    def remove(self, key: str) -> None:
        """Withdraw an item; nothing happens when there is none."""
        if self._items.pop(key, None) is not None:
            self._changed((key,), ())

    def set_packed(self, entries: Mapping[bytes, bytes]) -> None:
        """Publish packed records; raises ValueError when one has another size than announced."""
        sizes = set(map(len, entries)), set(map(len, entries.values()))
        if not (sizes[0] <= {self.key_size} and sizes[1] <= {self.value_size}):
            raise ValueError(
                f"cannot publish records of {sizes[0]} and {sizes[1]} octets on {self.topic}:"
                f" keys have {self.key_size}, values {self.value_size}"
            )
        known = self._packed
        changed = {key: value for key, value in entries.items() if known.get(key) != value}
        if changed:
            known.update(changed)
            self._changed((), changed)

    def remove_packed(self, keys: Iterable[bytes]) -> None:
        """Withdraw packed records; a key that is not there is passed over."""
        gone = [key for key in keys if self._packed.pop(key, None) is not None]
        if gone:
            self._changed((), gone)

    def mark_synced(self) -> None:
        """From here on subscribers may hear end-of-snapshot."""
        self.synced = True
        for subscription in self._subscriptions:
            subscription.wake()

    def subscribe(
        self, request: WatchRequest, wake: Callable[[], None], limits: Limits = DEFAULT_LIMITS
    ) -> Subscription:
        """A new subscriber; `wake` is called whenever `take` may have something to give."""
        subscription = Subscription(self, request, wake, limits)
        self._subscriptions[subscription] = None
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Forget a subscriber."""
        self._subscriptions.pop(subscription, None)

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._subscriptions)

    def _changed(self, items: Sequence[str], packed: Iterable[bytes]) -> None:
        self.seq += 1
        for subscription in self._subscriptions:
            subscription.note(items, packed)


class _Phase(Enum):
    SNAPSHOT = auto()
    """The state of the beginning is being sent, key by key."""
    FILLING = auto()
    """It has been sent; what changed since follows, then the end."""
    LIVE = auto()


class Subscription:
    """What one subscriber lacks; made by Publisher.subscribe."""

    def __init__(
        self,
        publisher: Publisher,
        request: WatchRequest,
        wake: Callable[[], None],
        limits: Limits,
    ) -> None:
        self._publisher = publisher
        self._prefixes = tuple(request.prefixes)
        self._limits = limits
        self.wake = wake
        self._items: dict[str, None] = {}
        self._packed: dict[bytes, None] = {}
        self._begun_seq = 0
        self._sent_seq = request.last_seq
        self._todo_items: list[str] = []
        self._todo_packed: list[bytes] = []
        self._phase = _Phase.LIVE
        self._resumed = (
            publisher.synced
            and request.last_incarnation == publisher.incarnation
            and request.last_seq == publisher.seq
        )
        if not self._resumed:
            self._begin_snapshot()

    @property
    def backlog(self) -> int:
        """Keys that wait."""
        return len(self._items) + len(self._packed)

    def note(self, items: Sequence[str], packed: Iterable[bytes]) -> None:
        """These keys changed. Never waits; may decide that a new snapshot is due."""
        if self._prefixes:
            items = [key for key in items if key.startswith(self._prefixes)]
        self._items.update(dict.fromkeys(items))
        self._packed.update(dict.fromkeys(packed))
        size = len(self._publisher.items) + len(self._publisher.packed)
        if self.backlog > max(self._limits.backlog, size // 4):
            self._begin_snapshot()
        if self.backlog or self._phase is not _Phase.LIVE:
            self.wake()

    def take(self) -> list[Update]:
        """The next messages to send, all of them, in order; empty when there is nothing now."""
        if self._resumed:
            self._resumed = False
            return [self._message(KIND_END_OF_SNAPSHOT, self._publisher.seq, resumed=True)]
        match self._phase:
            case _Phase.SNAPSHOT:
                return [self._next_of_snapshot()]
            case _Phase.FILLING:
                return self._fill()
            case _Phase.LIVE:
                return self._deltas()

    def _begin_snapshot(self) -> None:
        self._phase = _Phase.SNAPSHOT
        self._resumed = False
        self._items.clear()
        self._packed.clear()
        # Two snapshots of one stream begin at different seqs: only a change can start a second one.
        self._begun_seq = self._publisher.seq
        keys = self._publisher.items
        self._todo_items = [k for k in keys if not self._prefixes or k.startswith(self._prefixes)]
        self._todo_packed = list(self._publisher.packed)

    def _next_of_snapshot(self) -> Update:
        """Values are read now, not when the snapshot began: later ones do no harm."""
        if self._todo_items:
            keys = self._todo_items[-self._limits.items :]
            del self._todo_items[-len(keys) :]
            update = self._items_message(KIND_SNAPSHOT, keys)
        else:
            count = self._records_per_message()
            packed = self._todo_packed[-count:]
            del self._todo_packed[-len(packed) :]
            update = self._packed_message(KIND_SNAPSHOT, packed)
        update.seq = self._begun_seq
        if not self._todo_items and not self._todo_packed:
            self._phase = _Phase.FILLING
        return update

    def _fill(self) -> list[Update]:
        updates = self._drain(KIND_SNAPSHOT)
        for update in updates:
            update.seq = self._begun_seq
        if self._publisher.synced:
            self._phase = _Phase.LIVE
            self._sent_seq = self._publisher.seq
            updates.append(self._message(KIND_END_OF_SNAPSHOT, self._sent_seq))
        return updates

    def _deltas(self) -> list[Update]:
        updates = self._drain(KIND_DELTA)
        for update in updates:
            update.seq = self._sent_seq
        if updates:
            self._sent_seq = updates[-1].seq = self._publisher.seq
        return updates

    def _drain(self, kind: Kind.ValueType) -> list[Update]:
        """Everything that waits, in the order in which a consumer may apply it."""
        items, packed = self._publisher.items, self._publisher.packed
        phases = [
            self._split_items(kind, [key for key in self._items if key in items]),
            self._split_packed(kind, [key for key in self._packed if key in packed]),
            self._split_packed(kind, [key for key in self._packed if key not in packed]),
            self._split_items(kind, [key for key in self._items if key not in items]),
        ]
        self._items.clear()
        self._packed.clear()
        return _compose(phases, self._limits.octets)

    def _split_items(self, kind: Kind.ValueType, keys: Sequence[str]) -> list[Update]:
        count = self._limits.items
        return [self._items_message(kind, keys[i : i + count]) for i in range(0, len(keys), count)]

    def _split_packed(self, kind: Kind.ValueType, keys: Sequence[bytes]) -> list[Update]:
        count = self._records_per_message()
        return [self._packed_message(kind, keys[i : i + count]) for i in range(0, len(keys), count)]

    def _records_per_message(self) -> int:
        record = self._publisher.key_size + self._publisher.value_size
        return max(1, self._limits.octets // max(1, record))

    def _items_message(self, kind: Kind.ValueType, keys: Iterable[str]) -> Update:
        items = self._publisher.items
        update = self._message(kind, 0)
        for key in keys:
            value = items.get(key)
            update.items.append(Item(key=key, value=value or b"", removed=value is None))
        return update

    def _packed_message(self, kind: Kind.ValueType, keys: Sequence[bytes]) -> Update:
        update = self._message(kind, 0)
        if not keys:
            return update
        packed = self._publisher.packed
        present = [key for key in keys if key in packed]
        update.packed.CopyFrom(
            Packed(
                key_size=self._publisher.key_size,
                value_size=self._publisher.value_size,
                keys=b"".join(present),
                values=b"".join([packed[key] for key in present]),
                removed=b"".join([key for key in keys if key not in packed]),
            )
        )
        return update

    def _message(self, kind: Kind.ValueType, seq: int, *, resumed: bool = False) -> Update:
        return Update(kind=kind, incarnation=self._publisher.incarnation, seq=seq, resumed=resumed)


def _compose(phases: Iterable[Sequence[Update]], octets: int) -> list[Update]:
    """Join what ends one phase with what begins the next, while it stays small."""
    updates: list[Update] = []
    for phase in phases:
        for index, update in enumerate(phase):
            if index == 0 and updates and updates[-1].ByteSize() + update.ByteSize() <= octets:
                updates[-1].MergeFrom(update)
            else:
                updates.append(update)
    return updates

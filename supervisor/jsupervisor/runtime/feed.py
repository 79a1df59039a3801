"""Feeds without I/O: how one module's state reaches another, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FeedSource:
    """One feed that a module consumes."""

    producer: str
    """Unique module name; its socket is RUN/producer.rpc.sock."""
    topic: str
    prefixes: tuple[str, ...] = ()
    """Only items whose key begins with one of these; none means all."""
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
    upserts: Mapping[str, bytes] = MappingProxyType({})
    removed: frozenset[str] = frozenset()
    packed_upserts: Mapping[bytes, bytes] = MappingProxyType({})
    packed_removed: frozenset[bytes] = frozenset()


class Publisher:
    """The producer's end of one feed: the state itself. Used from the trio loop only."""

    def __init__(self, topic: str, *, value_size: int = 0, key_size: int = 0) -> None:
        self.topic = topic
        self.value_size = value_size
        self.key_size = key_size
        self.seq = 0
        self.synced = False
        self._items: dict[str, bytes] = {}
        self._packed: dict[bytes, bytes] = {}

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
        self._items[key] = value

    def remove(self, key: str) -> None:
        """Withdraw an item; nothing happens when there is none."""
        self._items.pop(key, None)

    def set_packed(self, entries: Mapping[bytes, bytes]) -> None:
        """Publish packed records; raises ValueError when one has another size than announced."""
        self._packed.update(entries)

    def remove_packed(self, keys: Iterable[bytes]) -> None:
        """Withdraw packed records; a key that is not there is passed over."""
        for key in keys:
            self._packed.pop(key, None)

    def mark_synced(self) -> None:
        """From here on subscribers may hear end-of-snapshot."""
        self.synced = True

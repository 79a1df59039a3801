"""The consumer's half, and both halves against each other whatever happens between them."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jprotos.feed.v1.feed_pb2 import (
    KIND_DELTA,
    KIND_END_OF_SNAPSHOT,
    KIND_SNAPSHOT,
    Item,
    Kind,
    Packed,
    Update,
)
from jsupervisor.runtime.feed import Change, FeedSource, Limits, Publisher, Subscription
from jsupervisor.runtime.replica import FeedError, Replica

SOURCE = FeedSource("rpd", "fib")


def message(kind: Kind.ValueType, seq: int = 1, incarnation: int = 1, **rest: object) -> Update:
    return Update(kind=kind, seq=seq, incarnation=incarnation, **rest)  # type: ignore[arg-type]


def items(**values: bytes) -> list[Item]:
    return [Item(key=key, value=value) for key, value in values.items()]


def a_synced_replica(**values: bytes) -> Replica:
    replica = Replica(SOURCE)
    replica.handle(message(KIND_SNAPSHOT, items=items(**values)))
    replica.handle(message(KIND_END_OF_SNAPSHOT))
    return replica


def test_nothing_is_known_before_the_end_of_the_snapshot() -> None:
    replica = Replica(SOURCE)
    first = replica.handle(message(KIND_SNAPSHOT, items=items(a=b"1")))
    known, synced = dict(replica.items.known), replica.synced
    change = replica.handle(message(KIND_END_OF_SNAPSHOT, seq=2))

    assert (None, {}, False) == (first, known, synced)
    assert Change(producer="rpd", topic="fib", resync=True, upserts={"a": b"1"}) == change
    assert (True, 2) == (replica.synced, replica.seq)


def test_a_resync_tells_the_difference_alone() -> None:
    replica = a_synced_replica(same=b"1", other=b"1", gone=b"1")
    replica.disconnected()
    replica.handle(message(KIND_SNAPSHOT, 7, 2, items=items(same=b"1", other=b"2", new=b"1")))
    change = replica.handle(message(KIND_END_OF_SNAPSHOT, 7, 2))

    assert change is not None
    assert {"other": b"2", "new": b"1"} == change.upserts
    assert {"gone"} == change.removed
    assert 3 == replica.session().resync_changes


def test_a_producer_that_comes_back_with_the_same_state_changes_nothing() -> None:
    replica = a_synced_replica(a=b"1")
    replica.disconnected()
    replica.handle(message(KIND_SNAPSHOT, 1, 2, items=items(a=b"1")))

    assert replica.handle(message(KIND_END_OF_SNAPSHOT, 1, 2)) is None
    assert (2, 2, 1) == (replica.established, replica.incarnation, replica.dropped)


def test_what_is_known_stays_when_the_producer_dies() -> None:
    replica = a_synced_replica(a=b"1")
    replica.disconnected()

    assert {"a": b"1"} == replica.items.known
    assert (False, False) == (replica.connected, replica.synced)


def test_a_delta_that_changes_nothing_is_not_reported() -> None:
    replica = a_synced_replica(a=b"1")
    delta = message(KIND_DELTA, 2, items=[*items(a=b"1"), Item(key="b", removed=True)])

    assert replica.handle(delta) is None
    assert 2 == replica.seq


def test_a_snapshot_begun_again_forgets_the_first() -> None:
    replica = Replica(SOURCE)
    replica.handle(message(KIND_SNAPSHOT, 1, items=items(a=b"1")))
    replica.handle(message(KIND_SNAPSHOT, 2, items=items(b=b"1")))
    replica.handle(message(KIND_END_OF_SNAPSHOT, 2))

    assert {"b": b"1"} == replica.items.known


def test_a_key_removed_during_the_snapshot_is_swept() -> None:
    replica = a_synced_replica(a=b"1", b=b"1")
    replica.handle(message(KIND_SNAPSHOT, 5, items=items(a=b"1", b=b"2")))
    replica.handle(message(KIND_SNAPSHOT, 5, items=[Item(key="a", removed=True)]))
    change = replica.handle(message(KIND_END_OF_SNAPSHOT, 6))

    assert change is not None
    assert {"b": b"2"} == change.upserts
    assert {"a"} == change.removed


def test_a_resumed_stream_changes_nothing_and_is_synced() -> None:
    replica = a_synced_replica(a=b"1")
    replica.disconnected()
    request = replica.request()

    assert (1, 1) == (request.last_incarnation, request.last_seq)
    assert replica.handle(message(KIND_END_OF_SNAPSHOT, resumed=True)) is None
    assert replica.synced


@pytest.mark.parametrize(
    "wrong",
    [
        message(KIND_END_OF_SNAPSHOT),
        message(KIND_END_OF_SNAPSHOT, 9, resumed=True),
        message(KIND_DELTA),
        Update(),
        message(KIND_SNAPSHOT, packed=Packed(key_size=0, keys=b"abc")),
        message(KIND_SNAPSHOT, packed=Packed(key_size=2, keys=b"abc")),
        message(KIND_SNAPSHOT, packed=Packed(key_size=1, value_size=1, keys=b"ab", values=b"a")),
    ],
)
def test_a_producer_that_breaks_the_rules_is_refused(wrong: Update) -> None:
    replica = Replica(SOURCE)
    with pytest.raises(FeedError, match="cannot"):
        replica.handle(wrong)

    assert {} == replica.items.known


def test_ending_a_stream_oneself_is_not_a_drop() -> None:
    replica = a_synced_replica()
    replica.disconnected(wanted=True)

    assert 0 == replica.session().dropped


# -- both halves ---------------------------------------------------------------------------------


class World:
    """A producer, a consumer and a wire that can be cut; checks each change as it is delivered."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.publisher = Publisher("fib", key_size=1, value_size=1)
        self.publisher.incarnation = 1
        self.replica = Replica(SOURCE)
        self.subscription: Subscription | None = None
        self.wire: deque[Update] = deque()
        self.items: dict[str, bytes] = {}
        self.packed: dict[bytes, bytes] = {}

    def step(self, action: str, key: int, value: int) -> None:
        name, octets, content = f"k{key}", bytes([key]), bytes([value])
        match action:
            case "set":
                self.publisher.set(name, content)
            case "remove":
                self.publisher.remove(name)
            case "set_packed":
                self.publisher.set_packed({bytes([key + i]): content for i in range(value)})
            case "remove_packed":
                self.publisher.remove_packed([octets, bytes([key + 1])])
            case "cut":
                self.cut()
            case "restart":
                self.restart()
            case "sync":
                self.publisher.mark_synced()
            case "send":
                self.send()
            case _:
                self.receive()

    def cut(self) -> None:
        if self.subscription is not None:
            self.publisher.unsubscribe(self.subscription)
        self.subscription = None
        self.wire.clear()
        self.replica.disconnected()

    def restart(self) -> None:
        """The successor learns the same state anew, in another order."""
        self.cut()
        old, self.publisher = self.publisher, Publisher("fib", key_size=1, value_size=1)
        self.publisher.incarnation = old.incarnation + 1
        for key, value in reversed(list(old.items.items())):
            self.publisher.set(key, value)
        self.publisher.set_packed(old.packed)

    def send(self) -> bool:
        if self.subscription is None:
            request = self.replica.request()
            self.subscription = self.publisher.subscribe(request, lambda: None, self.limits)
        updates = self.subscription.take()
        # As on a real wire: what the consumer gets was serialised.
        self.wire.extend(Update.FromString(update.SerializeToString()) for update in updates)
        return bool(updates)

    def receive(self) -> None:
        if self.wire:
            change = self.replica.handle(self.wire.popleft())
            if change is not None:
                self.apply(change)

    def apply(self, change: Change) -> None:
        assert all(self.items.get(key) != value for key, value in change.upserts.items())
        assert all(self.packed.get(k) != value for k, value in change.packed_upserts.items())
        assert change.removed <= self.items.keys()
        assert change.packed_removed <= self.packed.keys()
        self.items.update(change.upserts)
        self.packed.update(change.packed_upserts)
        for octets in change.packed_removed:
            del self.packed[octets]
        for key in change.removed:
            del self.items[key]

    def settle(self) -> None:
        self.publisher.mark_synced()
        while self.send() or self.wire:
            while self.wire:
                self.receive()


ACTIONS = (
    *("set", "set", "remove", "set_packed", "set_packed", "remove_packed"),
    *("cut", "restart", "sync", "send", "send", "send", "receive", "receive", "receive"),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5), st.integers(0, 3)), max_size=60
)
LIMITS = st.builds(
    Limits, items=st.integers(1, 3), octets=st.integers(1, 8), backlog=st.integers(1, 8)
)


@settings(max_examples=300, deadline=None)
@given(STEPS, LIMITS)
def test_the_consumer_ends_with_the_producers_state_and_hears_no_unchanged_key(
    steps: list[tuple[str, int, int]], limits: Limits
) -> None:
    world = World(limits)
    for step in steps:
        world.step(*step)
    world.settle()

    assert dict(world.publisher.items) == world.items == world.replica.items.known
    assert dict(world.publisher.packed) == world.packed == world.replica.packed.known
    assert world.replica.synced
    assert world.publisher.seq == world.replica.seq

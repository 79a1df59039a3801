"""The producer's half: what a subscriber is sent, and what it costs when it does not read."""

from __future__ import annotations

import pytest

from jprotos.feed.v1.feed_pb2 import (
    KIND_DELTA,
    KIND_END_OF_SNAPSHOT,
    KIND_SNAPSHOT,
    Update,
    WatchRequest,
)
from jsupervisor.runtime.feed import Limits, Publisher, Subscription


def a_publisher(**sizes: int) -> Publisher:
    publisher = Publisher("fib", **sizes)
    publisher.incarnation = 3
    return publisher


def drain(subscription: Subscription) -> list[Update]:
    updates: list[Update] = []
    while taken := subscription.take():
        updates += taken
    return updates


def subscribe(
    publisher: Publisher, limits: Limits | None = None, **request: object
) -> Subscription:
    watch = WatchRequest(topic="fib", **request)  # type: ignore[arg-type]
    return publisher.subscribe(watch, lambda: None, limits or Limits())


def kinds(updates: list[Update]) -> list[int]:
    return [update.kind for update in updates]


def test_a_snapshot_ends_only_when_the_publisher_is_synced() -> None:
    publisher = a_publisher()
    publisher.set("a", b"1")
    subscription = subscribe(publisher)
    before = drain(subscription)
    publisher.set("b", b"2")
    publisher.mark_synced()
    after = drain(subscription)

    assert [KIND_SNAPSHOT] == kinds(before)
    assert [KIND_SNAPSHOT, KIND_END_OF_SNAPSHOT] == kinds(after)
    assert ["b"] == [item.key for item in after[0].items]
    assert before[0].seq == after[0].seq
    assert (3, 2) == (after[1].incarnation, after[1].seq)


def test_an_empty_snapshot_is_begun_and_ended() -> None:
    publisher = a_publisher()
    publisher.mark_synced()

    assert [KIND_SNAPSHOT, KIND_END_OF_SNAPSHOT] == kinds(drain(subscribe(publisher)))


def test_a_snapshot_comes_in_batches() -> None:
    publisher = a_publisher(key_size=2, value_size=1)
    publisher.mark_synced()
    for number in range(5):
        publisher.set(str(number), b"")
    publisher.set_packed({bytes([0, n]): b"x" for n in range(5)})
    updates = drain(subscribe(publisher, Limits(items=2, octets=6)))

    assert [KIND_SNAPSHOT] * 6 + [KIND_END_OF_SNAPSHOT] == kinds(updates)
    assert [2, 2, 1, 0, 0, 0, 0] == [len(update.items) for update in updates]
    assert [0, 0, 0, 4, 4, 2, 0] == [len(update.packed.keys) for update in updates]


def test_setting_what_is_set_publishes_nothing() -> None:
    publisher = a_publisher(key_size=1, value_size=1)
    publisher.set("a", b"1")
    publisher.set_packed({b"k": b"v"})
    seq = publisher.seq
    publisher.set("a", b"1")
    publisher.set_packed({b"k": b"v"})
    publisher.remove("b")
    publisher.remove_packed([b"x"])

    assert seq == publisher.seq


def test_a_record_of_the_wrong_size_is_refused_and_nothing_is_published() -> None:
    publisher = a_publisher(key_size=2, value_size=1)
    with pytest.raises(ValueError, match="cannot publish records"):
        publisher.set_packed({b"ok": b"v", b"bad": b"v"})

    assert {} == dict(publisher.packed)
    assert 0 == publisher.seq


def test_deltas_coalesce_by_key() -> None:
    publisher = a_publisher()
    publisher.mark_synced()
    subscription = subscribe(publisher)
    drain(subscription)
    for value in (b"1", b"2", b"3"):
        publisher.set("a", value)
    updates = drain(subscription)

    assert [KIND_DELTA] == kinds(updates)
    assert [("a", b"3")] == [(item.key, item.value) for item in updates[0].items]
    assert 3 == updates[0].seq


def test_a_next_hop_comes_before_the_routes_that_name_it_and_goes_after_them() -> None:
    publisher = a_publisher(key_size=1, value_size=1)
    publisher.set("nh/1", b"old")
    publisher.set_packed({b"a": b"1", b"b": b"1"})
    publisher.mark_synced()
    subscription = subscribe(publisher)
    drain(subscription)
    publisher.set("nh/2", b"new")
    publisher.set_packed({b"a": b"2"})
    publisher.remove_packed([b"b"])
    publisher.remove("nh/1")
    subscription._limits = Limits(items=1, octets=1)
    updates = drain(subscription)

    assert ["nh/2"] == [item.key for item in updates[0].items]
    assert (b"a", b"2") == (updates[1].packed.keys, updates[1].packed.values)
    assert b"b" == updates[2].packed.removed
    assert [("nh/1", True)] == [(item.key, item.removed) for item in updates[3].items]
    assert [3 - 1, 2, 2, publisher.seq] == [update.seq for update in updates]


def test_what_fits_is_sent_in_one_message() -> None:
    publisher = a_publisher(key_size=1, value_size=1)
    publisher.set("nh/1", b"old")
    publisher.set_packed({b"b": b"1"})
    publisher.mark_synced()
    subscription = subscribe(publisher)
    drain(subscription)
    publisher.set("nh/2", b"new")
    publisher.set_packed({b"a": b"2"})
    publisher.remove_packed([b"b"])
    publisher.remove("nh/1")
    updates = drain(subscription)

    assert 1 == len(updates)
    assert (b"a", b"b") == (updates[0].packed.keys, updates[0].packed.removed)
    assert ["nh/2", "nh/1"] == [item.key for item in updates[0].items]


def test_a_subscriber_that_does_not_read_is_cut_to_a_new_snapshot() -> None:
    publisher = a_publisher()
    publisher.mark_synced()
    subscription = subscribe(publisher, Limits(backlog=10))
    drain(subscription)
    for number in range(10_000):
        publisher.set(f"key{number % 100}", str(number).encode())

        assert subscription.backlog <= 25
    updates = drain(subscription)

    assert KIND_SNAPSHOT == updates[0].kind
    assert KIND_END_OF_SNAPSHOT == updates[-1].kind
    assert publisher.seq == updates[-1].seq


def test_a_snapshot_that_is_begun_again_has_another_seq() -> None:
    publisher = a_publisher()
    publisher.set("a", b"")
    subscription = subscribe(publisher, Limits(backlog=1))
    (first,) = subscription.take()
    for number in range(3):
        publisher.set(str(number), b"")
    (second, *_) = subscription.take()

    assert (KIND_SNAPSHOT, KIND_SNAPSHOT) == (first.kind, second.kind)
    assert first.seq != second.seq


def test_a_subscriber_that_has_the_newest_state_is_resumed() -> None:
    publisher = a_publisher()
    publisher.set("a", b"1")
    publisher.mark_synced()
    subscription = subscribe(publisher, last_incarnation=3, last_seq=1)
    publisher.set("b", b"2")
    updates = drain(subscription)

    assert [KIND_END_OF_SNAPSHOT, KIND_DELTA] == kinds(updates)
    assert updates[0].resumed


@pytest.mark.parametrize(("incarnation", "seq"), [(2, 1), (3, 0), (3, 2), (0, 0)])
def test_any_other_state_gets_a_snapshot(incarnation: int, seq: int) -> None:
    publisher = a_publisher()
    publisher.set("a", b"1")
    publisher.mark_synced()
    updates = drain(subscribe(publisher, last_incarnation=incarnation, last_seq=seq))

    assert [KIND_SNAPSHOT, KIND_END_OF_SNAPSHOT] == kinds(updates)
    assert not updates[-1].resumed


def test_a_publisher_that_is_not_synced_resumes_nobody() -> None:
    publisher = a_publisher()
    publisher.set("a", b"1")

    assert [KIND_SNAPSHOT] == kinds(drain(subscribe(publisher, last_incarnation=3, last_seq=1)))


def test_prefixes_choose_items() -> None:
    publisher = a_publisher()
    publisher.set("interfaces/ge-0/0/0", b"")
    publisher.set("system", b"")
    publisher.mark_synced()
    subscription = subscribe(publisher, prefixes=["interfaces/"])
    snapshot = drain(subscription)
    publisher.set("system", b"2")
    nothing = drain(subscription)
    publisher.remove("interfaces/ge-0/0/0")
    delta = drain(subscription)

    assert ["interfaces/ge-0/0/0"] == [item.key for item in snapshot[0].items]
    assert [] == nothing
    assert [True] == [item.removed for item in delta[0].items]


def test_a_subscriber_is_woken_when_there_is_something_to_take() -> None:
    woken: list[int] = []
    publisher = a_publisher()
    subscription = publisher.subscribe(WatchRequest(), lambda: woken.append(publisher.seq))
    drain(subscription)
    publisher.mark_synced()
    drain(subscription)
    publisher.set("a", b"")
    publisher.unsubscribe(subscription)
    publisher.set("b", b"")

    assert [0, 1] == woken
    assert 0 == publisher.subscribers

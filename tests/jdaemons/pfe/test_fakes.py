"""The stand that the tests of the engine are built on."""

from __future__ import annotations

import os

import pytest

from jdaemons.pfe.fakes import Batches, Bench, FakeStore, resolved, route


def test_the_store_gives_descriptors_of_ones_own() -> None:
    store = FakeStore()
    reader, writer = os.pipe()
    store.put("a/b", reader)
    own = store.get("a/b")
    with pytest.raises(AssertionError):
        store.put("a/b", reader)
    store.drop("a/b")
    store.drop("a/b")
    assert own is not None
    different = own != reader
    for fd in (reader, writer, own):
        os.close(fd)

    assert different
    assert store.get("a/b") is None


def test_frames_are_lined_up_as_they_are() -> None:
    batches = Batches()
    count = batches.line_up([b"a" * 10, b"b" * 100])

    assert 2 == count
    assert [b"a" * 10, b"b" * 100] == [batches.transmitter.frame(row) for row in range(2)]


def test_after_resolving_both_hosts_are_known(bench: Bench) -> None:
    resolved(bench)

    assert [4, 4, 6, 6] == sorted(
        each for each in bench.segment().neighbours["family"].tolist() if each
    )


def test_the_key_of_a_route_is_that_of_the_feed() -> None:
    assert bytes.fromhex("0408 0a000000 000000000000000000000000") == route("10.0.0.0/8")

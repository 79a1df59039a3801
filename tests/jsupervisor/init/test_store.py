"""Descriptors kept for others: whose they are, how many, and that none is lost or leaked."""

from __future__ import annotations

import os

import pytest

from jsupervisor.init.store import MAX_PER_SHARE, Store
from jsupervisor.init.table import Process, Refused

PFE = Process("pfe0", 1, {}, "lean", frozenset({"pfe0", "fabric"}))
RPD = Process("rpd", 1, {}, "full", frozenset({"rpd"}))


def test_what_is_put_is_there_until_it_is_dropped() -> None:
    store, (reader, writer) = Store(), os.pipe()
    store.put(PFE, "pfe0/image", reader)

    assert reader == store.get(PFE, "pfe0/image") == store.find("pfe0/image")
    assert ["pfe0/image"] == store.keys()
    store.drop(PFE, "pfe0/image")
    assert [] == store.keys()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reader)
    os.close(writer)


@pytest.mark.parametrize("what", ["get", "drop"])
def test_what_is_not_there_is_said_in_the_words_that_the_runtime_looks_for(what: str) -> None:
    with pytest.raises(Refused, match="there is no pfe0/image"):
        getattr(Store(), what)(PFE, "pfe0/image")
    assert -1 == Store().find("pfe0/image")


def test_a_key_is_taken_by_the_first() -> None:
    store = Store()
    store.put(PFE, "fabric/x", 5)

    with pytest.raises(Refused, match="fabric/x exists"):
        store.put(PFE, "fabric/x", 6)
    assert 5 == store.get(PFE, "fabric/x")


def test_a_share_belongs_to_those_whose_order_says_so() -> None:
    store = Store()
    store.put(PFE, "pfe0/image", 5)

    for refused in (
        lambda: store.put(RPD, "pfe0/other", 6),
        lambda: store.get(RPD, "pfe0/image"),
        lambda: store.drop(RPD, "pfe0/image"),
    ):
        with pytest.raises(Refused, match="rpd may not use pfe0/"):
            refused()


@pytest.mark.parametrize(
    "key", ["", "pfe0", "pfe0/", "/x", "pfe0/a b", "pfe0/" + "x" * 81, "a\n/b"]
)
def test_a_key_is_share_and_what(key: str) -> None:
    with pytest.raises(Refused, match="is not SHARE/WHAT"):
        Store().put(PFE, key, 5)


def test_a_share_has_its_limit_and_the_others_keep_theirs() -> None:
    store = Store()
    for number in range(MAX_PER_SHARE):
        store.put(PFE, f"pfe0/{number}", 1000 + number)

    with pytest.raises(Refused, match="pfe0 has 256 descriptors"):
        store.put(PFE, "pfe0/more", 5)
    store.put(PFE, "fabric/one", 5)


ROUTER = Process("router", 1, {"parts": [{"name": "rpd"}, {}, 5]}, "full", frozenset({"router"}))


def test_what_is_entrusted_stays_as_it_was_first() -> None:
    store = Store()

    assert store.entrust("rpd/identity", 5)
    assert not store.entrust("rpd/identity", 6)
    assert 5 == store.get(RPD, "rpd/identity") == store.find("rpd/identity")
    with pytest.raises(Refused, match="is not SHARE/WHAT"):
        store.entrust("rpd", 5)


def test_an_identity_is_for_whoever_it_is_of() -> None:
    store = Store()
    store.entrust("rpd/identity", 5)

    assert 5 == store.get(RPD, "rpd/identity") == store.get(ROUTER, "rpd/identity")
    for stranger in (PFE, Process("mgd", 1, {"parts": "rpd"}, "full", frozenset({"rpd"}))):
        with pytest.raises(Refused, match=f"{stranger.name} may not be rpd"):
            store.get(stranger, "rpd/identity")
    with pytest.raises(Refused, match="there is no pfe0/identity"):
        store.get(PFE, "pfe0/identity")


def test_nobody_says_who_it_is_nor_forgets_it() -> None:
    store = Store()
    with pytest.raises(Refused, match="rpd may not say who it is"):
        store.put(RPD, "rpd/identity", 6)
    store.entrust("rpd/identity", 5)
    with pytest.raises(Refused, match="rpd may not be without rpd/identity"):
        store.drop(RPD, "rpd/identity")
    assert 5 == store.find("rpd/identity")


@pytest.mark.parametrize("name", ["jlaunchd", "operator"])
def test_what_is_jlaunchds_and_the_operators_is_nobodys_share(name: str) -> None:
    store = Store()
    store.entrust(f"{name}/identity", 5)
    store.entrust(f"{name}/ca", 6)
    order: dict[str, object] = {"parts": [{"name": name}]}
    bold = Process("bold", 1, order, "full", frozenset({"bold", name}))  # type: ignore[arg-type]

    for key, why in ((f"{name}/identity", "may not be"), (f"{name}/ca", "may not use")):
        with pytest.raises(Refused, match=why):
            store.get(bold, key)
    with pytest.raises(Refused, match="may not use"):
        store.put(bold, f"{name}/x", 7)

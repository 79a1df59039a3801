"""Events and commands are values: equal when they say the same, and never changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from jdaemons.chassisd.events import DeadlinePassed, FpcChanged, LinksHeard, Settled


def test_equal_words_are_equal_values() -> None:
    assert LinksHeard(1, {"a": True}) == LinksHeard(1, {"a": True}, frozenset())
    assert FpcChanged(1, "Online") != FpcChanged(2, "Online")
    assert DeadlinePassed() == DeadlinePassed()
    assert Settled() == Settled()


def test_a_value_cannot_be_changed() -> None:
    changed = FpcChanged(1, "Online")

    with pytest.raises(FrozenInstanceError):
        changed.fpc = 2  # type: ignore[misc]

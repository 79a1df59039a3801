"""Events and commands are values: equal when they say the same, and never changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from jdaemons.mgd.candidate import NOTHING, Candidate
from jdaemons.mgd.events import Commit, Publish, Stored, Written


def test_a_commit_of_nothing_is_that_of_a_new_instance() -> None:
    assert (NOTHING, 0, "", None) == (
        Commit().candidate,
        Commit().revision,
        Commit().user,
        Commit().time,
    )


def test_equal_words_are_equal_values() -> None:
    commit = Commit(Candidate("x", "", {"a": b"1"}), 1, "lab")

    assert Written(commit) == Written(Commit(Candidate("x", "", {"a": b"1"}), 1, "lab"))
    assert Stored(commit, None) != Stored(None, commit)
    assert Publish({}, frozenset()) == Publish({}, frozenset())


def test_a_value_cannot_be_changed() -> None:
    commit = Commit()

    with pytest.raises(FrozenInstanceError):
        commit.revision = 2  # type: ignore[misc]

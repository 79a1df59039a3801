"""The configuration in force: loads, starts, damage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jdaemons.mgd.candidate import NOTHING, Candidate
from jdaemons.mgd.core import Core
from jdaemons.mgd.events import (
    Commit,
    Damaged,
    Keep,
    LoadRequested,
    Publish,
    Refuse,
    Sound,
    Stored,
    Write,
    Written,
)
from jdaemons.mgd.syntax import Place, Problem

NOW = datetime(2026, 1, 2, 3, 4, 5, 600_000, UTC)
ONE = Candidate("one", "r1", {"a": b"1", "b": b"2"})
TWO = Candidate("two", "r2", {"b": b"3", "c": b"4"})
BAD = (Problem(Place(1, 2), "bad"),)


def commit(candidate: Candidate, revision: int = 1) -> Commit:
    return Commit(candidate, revision, "lab", NOW.replace(microsecond=0))


def started(stored: Stored) -> Core:
    core = Core()
    core.handle(stored, NOW)
    return core


def test_the_stored_configuration_is_published_at_start() -> None:
    core = Core()
    commands = core.handle(Stored(commit(ONE, 7), None), NOW)

    assert [Publish(ONE.items, frozenset()), Keep(commit(ONE, 7)), Sound()] == commands
    assert commit(ONE, 7) == core.commit


def test_a_new_instance_has_an_empty_configuration_and_no_time() -> None:
    core = Core()
    commands = core.handle(Stored(None, None), NOW)

    assert [Sound()] == commands
    assert (NOTHING, 0, None) == (core.commit.candidate, core.commit.revision, core.commit.time)


def test_a_load_is_written_first_and_published_when_the_disk_has_it() -> None:
    core = started(Stored(commit(ONE, 7), None))
    written = commit(TWO, 8)
    first = core.handle(LoadRequested(TWO, "lab"), NOW)
    between = core.commit
    second = core.handle(Written(written), NOW)

    assert [Write(written, commit(ONE, 7))] == first
    assert commit(ONE, 7) == between
    assert [Publish({"b": b"3", "c": b"4"}, frozenset(("a",))), Keep(written), Sound()] == second
    assert written == core.commit


def test_a_bad_text_is_refused_and_changes_nothing() -> None:
    core = started(Stored(commit(ONE), None))

    assert [Refuse(BAD)] == core.handle(LoadRequested(BAD, "lab"), NOW)
    assert commit(ONE) == core.commit


def test_a_load_that_the_disk_did_not_take_leaves_no_trace() -> None:
    core = started(Stored(commit(ONE), None))
    core.handle(LoadRequested(TWO, "lab"), NOW)
    again = core.handle(LoadRequested(TWO, "lab"), NOW)

    assert [Write(commit(TWO, 2), commit(ONE))] == again


def test_loading_what_is_in_force_counts_but_publishes_nothing() -> None:
    core = started(Stored(commit(ONE), None))

    assert [Keep(commit(ONE, 2)), Sound()] == core.handle(Written(commit(ONE, 2)), NOW)
    assert 2 == core.commit.revision


@pytest.mark.parametrize("current", [BAD, None])
def test_a_damaged_or_missing_file_is_replaced_by_the_last_good_one(
    current: tuple[Problem, ...] | None,
) -> None:
    core = Core()
    damaged, published = core.handle(Stored(current, commit(ONE, 6)), NOW)

    assert isinstance(damaged, Damaged)
    assert "the last good one is used" == damaged.instead
    assert Publish(ONE.items, frozenset()) == published
    assert commit(ONE, 6) == core.commit


def test_without_a_good_one_the_configuration_is_empty() -> None:
    core = Core()

    assert [Damaged(BAD, "an empty one is used")] == core.handle(Stored(BAD, None), NOW)
    assert NOTHING == core.commit.candidate


@pytest.mark.parametrize("current", [BAD, None])
def test_read_again_a_damaged_file_leaves_in_force_what_is_in_force(
    current: tuple[Problem, ...] | None,
) -> None:
    core = started(Stored(commit(ONE, 7), None))
    (damaged,) = core.handle(Stored(current, commit(TWO, 6)), NOW)

    assert isinstance(damaged, Damaged)
    assert "the one in force stays" == damaged.instead
    assert commit(ONE, 7) == core.commit


def test_read_again_an_edited_file_is_taken_and_only_the_difference_published() -> None:
    core = started(Stored(commit(ONE, 7), None))
    commands = core.handle(Stored(commit(TWO, 1), None), NOW)

    assert [
        Publish({"b": b"3", "c": b"4"}, frozenset(("a",))),
        Keep(commit(TWO, 1)),
        Sound(),
    ] == commands


def test_a_load_over_a_damaged_file_is_sound_again() -> None:
    core = started(Stored(BAD, commit(ONE, 6)))
    (write,) = core.handle(LoadRequested(TWO, "lab"), NOW)
    assert isinstance(write, Write)

    assert (7, commit(ONE, 6)) == (write.commit.revision, write.previous)
    assert Sound() == core.handle(Written(write.commit), NOW)[-1]

"""The configuration on a real disk: whole or not at all, and the one before it."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jdaemons.mgd.candidate import NOTHING, Candidate, examine
from jdaemons.mgd.events import Commit, Stored
from jdaemons.mgd.store import Store, StoreError, show

TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def candidate(text: str) -> Candidate:
    examined = examine(text)
    assert isinstance(examined, Candidate)
    return examined


ONE = Commit(candidate("system { host-name one; }"), 3, "lab", TIME)
TWO = Commit(candidate("system { host-name two; }"), 4, "admin", TIME)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "config")


def names(store: Store) -> set[str]:
    return {path.name for path in store.folder.iterdir()}


def test_there_is_nothing_before_the_first_load(store: Store) -> None:
    assert Stored(None, None) == store.read()


def test_what_was_written_is_read_again_with_user_time_and_revision(store: Store) -> None:
    store.write(ONE, Commit())

    assert Stored(ONE, None) == store.read()
    assert {"juniper.conf"} == names(store)


def test_the_file_is_what_show_shows(store: Store) -> None:
    store.write(ONE, Commit())

    assert show(ONE) == store.path.read_text()
    assert """\
## Last commit: 2026-01-02 03:04:05 UTC by lab
## Revision: 3
system {
    host-name one;
}
""" == show(ONE)


def test_an_empty_configuration_that_nobody_loaded_has_no_header() -> None:
    assert "" == show(Commit())
    assert show(Commit(NOTHING, 1, "lab", TIME)).startswith("## Last commit:")


def test_the_one_in_force_is_kept_as_the_previous_one_whatever_the_file_held(store: Store) -> None:
    store.write(ONE, Commit())
    store.path.write_text("{ edited by hand and damaged")
    store.write(TWO, ONE)
    store.path.unlink()

    assert Stored(None, ONE) == store.read()


def test_the_last_good_one_is_kept_and_goes_before_the_previous_one(store: Store) -> None:
    store.write(TWO, ONE)
    store.keep(TWO)
    store.path.write_text("{ edited by hand and damaged")

    assert TWO == store.read().good
    assert {"juniper.conf", "juniper.conf.1", "juniper.conf.good"} == names(store)


def test_a_kept_one_that_is_damaged_too_is_passed_over_and_kept_anew(store: Store) -> None:
    store.write(TWO, ONE)
    store.path.write_text("damaged")
    store.good.write_bytes(b"\xff")
    passed_over = store.read().good
    store.keep(TWO)

    assert ONE == passed_over
    assert TWO == store.read().good


def test_what_is_kept_already_is_not_written_again(store: Store) -> None:
    store.write(ONE, Commit())
    store.keep(ONE)
    before = store.good.stat().st_ino
    store.keep(ONE)

    assert before == store.good.stat().st_ino


def test_what_cannot_be_kept_is_done_without(store: Store) -> None:
    store.good.mkdir(parents=True)
    store.keep(ONE)

    assert [] == list(store.good.iterdir())


@pytest.mark.parametrize(
    ("damage", "message"),
    [(b"system {", "syntax error, expecting '}'"), (b"\xff\xfe", "cannot read it: not UTF-8 text")],
)
def test_a_damaged_file_is_told_with_its_problems_and_the_one_before_it(
    store: Store, damage: bytes, message: str
) -> None:
    store.write(TWO, ONE)
    store.path.write_bytes(damage)
    stored = store.read()

    assert isinstance(stored.current, tuple)
    assert message == stored.current[0].message
    assert ONE == stored.good


def test_a_folder_in_the_file_s_place_counts_as_damage(store: Store) -> None:
    store.path.mkdir(parents=True)
    stored = store.read()

    assert isinstance(stored.current, tuple)
    assert stored.current[0].message.startswith("cannot read it: ")


def test_a_file_without_a_header_is_root_s_and_as_old_as_the_file(store: Store) -> None:
    store.folder.mkdir()
    store.path.write_text("system { host-name one; }")
    os.utime(store.path, (TIME.timestamp(), TIME.timestamp()))

    assert Commit(ONE.candidate, 1, "root", TIME) == store.read().current


def test_a_header_of_nonsense_is_a_comment(store: Store) -> None:
    store.folder.mkdir()
    store.path.write_text("## Last commit: 2026-99-02 03:04:05 UTC by x\n## Revision: 9\n")
    current = store.read().current

    assert isinstance(current, Commit)
    assert NOTHING == current.candidate


def test_a_damaged_file_is_set_aside_and_stays_where_it_is(store: Store) -> None:
    store.folder.mkdir()
    store.path.write_text("nonsense")
    store.set_aside()
    store.set_aside()

    assert {"juniper.conf", "juniper.conf.damaged"} == names(store)
    assert "nonsense" == store.damaged.read_text()


def test_setting_aside_what_is_missing_does_nothing(store: Store) -> None:
    store.set_aside()

    assert not store.folder.exists()


def test_a_full_disk_is_one_clear_line_and_the_old_configuration_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(ONE, Commit())

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        store.write(TWO, ONE)

    assert (
        f"cannot write {store.path}: No space left on device; the old configuration stays in force"
        == str(caught.value)
    )
    assert Stored(ONE, None) == store.read()
    assert {"juniper.conf"} == names(store)


def test_a_file_where_the_folder_should_be_is_one_clear_line(store: Store) -> None:
    store.folder.write_text("")

    with pytest.raises(StoreError, match=r"cannot write .*: File exists; the old"):
        store.write(ONE, Commit())

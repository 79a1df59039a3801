"""The event history survives restarts, damage and a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.journal import Journal, read_history


def record(number: int) -> Message:
    return {"name": "rpd", "event": "exit", "incarnation": number}


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    written = journal.append([record(1), record(2)]) and journal.append([record(3)])

    assert written
    assert [record(1), record(2), record(3)] == read_history(tmp_path / "journal.jsonl")


def test_a_history_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert [] == read_history(tmp_path / "journal.jsonl")


def test_a_damaged_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).append([record(1)])
    with path.open("ab") as file:
        file.write(b'{"name": "rp\n\xff\xfe\n[1]\n')
    Journal(path).append([record(2)])

    assert [record(1), record(2)] == read_history(path)


def test_a_grown_journal_is_rotated_and_still_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, max_bytes=100)
    for number in range(1, 8):
        journal.append([record(number)])

    assert ["journal.jsonl", "journal.jsonl.0", "journal.jsonl.1.gz", "journal.jsonl.2.gz"] == (
        sorted(os.listdir(tmp_path))
    )
    assert [record(number) for number in range(1, 8)] == read_history(path)
    assert [record(number) for number in range(3, 8)] == read_history(path, limit=5)


def test_so_many_predecessors_are_kept_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, max_bytes=10, files=2)
    for number in range(1, 8):
        journal.append([record(number)])

    assert [record(6), record(7)] == read_history(path)


def test_a_journal_that_cannot_be_rotated_has_its_records_once(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    (tmp_path / "journal.jsonl.0").mkdir()
    journal = Journal(path, max_bytes=10)
    written = [journal.append([record(number)]) for number in (1, 2)]

    assert [True, True] == written
    assert [record(1), record(2)] == read_history(path)


def test_only_the_newest_records_are_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).append([record(number) for number in range(10)])

    assert [record(8), record(9)] == read_history(path, limit=2)


def test_a_full_disk_loses_nothing_and_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append([record(1)])
    real_write = os.write

    def full_after_five_bytes(fd: int, data: bytes) -> int:
        if len(data) <= 5:
            raise OSError(28, "No space left on device")
        return real_write(fd, data[:5])

    monkeypatch.setattr(os, "write", full_after_five_bytes)
    refused = journal.append([record(2)])
    error = journal.error
    monkeypatch.undo()
    taken = journal.append([record(3)])

    assert not refused
    assert f"cannot write {path}: No space left on device" == error
    assert taken
    assert "" == journal.error
    assert [record(1), record(2), record(3)] == read_history(path)

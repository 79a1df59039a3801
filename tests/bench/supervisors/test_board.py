"""Stamps arrive whole, and the newest of each program is known."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.supervisors.board import RECORD, Board, Stamp


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    with Board(tmp_path / "board") as board:
        yield board


def write(board: Board, *stamps: Stamp) -> None:
    fd = os.open(board.path, os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, b"".join(RECORD.pack(stamp.index, stamp.pid, stamp.ns) for stamp in stamps))
    os.close(fd)


def test_the_newest_stamp_of_each_program_counts(board: Board) -> None:
    write(board, Stamp(0, 10, 100), Stamp(1, 11, 101))
    write(board, Stamp(0, 12, 200))

    assert board.wait_all([0], 100, 1.0)
    assert {0: Stamp(0, 12, 200), 1: Stamp(1, 11, 101)} == board.newest


def test_an_older_stamp_is_no_answer(board: Board) -> None:
    write(board, Stamp(0, 10, 100))

    assert not board.wait_all([0], 100, 0.0)
    assert [0] == board.missing([0], 100)


def test_whoever_has_never_stamped_is_missing(board: Board) -> None:
    assert [3] == board.missing([3], 0)


def test_half_a_stamp_waits_for_its_other_half(board: Board) -> None:
    data = RECORD.pack(1, 2, 3)
    fd = os.open(board.path, os.O_WRONLY | os.O_NONBLOCK)
    os.write(fd, data[:10])

    assert [] == board.pump()
    os.write(fd, data[10:])
    os.close(fd)
    assert [Stamp(1, 2, 3)] == board.pump()


def test_a_board_is_gone_when_it_is_closed(tmp_path: Path) -> None:
    with Board(tmp_path / "board"):
        pass

    assert not (tmp_path / "board").exists()

"""Log files: whole lines or nothing, whatever happens to the disk or the file."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from jdaemons.eventd.files import LogFile, read_rule
from jsupervisor.initproto import Json
from jsupervisor.runtime.rotate import Rule


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in folder.iterdir()
    }


def test_lines_are_appended_to_what_there_is(tmp_path: Path) -> None:
    for line in (b"1\n", b"2\n"):
        file = LogFile(tmp_path / "log" / "messages")
        file.append(line)
        file.close()

    assert {"messages": b"1\n2\n"} == contents(tmp_path / "log")


def test_a_file_that_is_full_is_rotated_and_the_oldest_dropped(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "messages", Rule(size=4, files=2))
    for number in range(9):
        file.append(b"%d\n" % number)
    file.close()

    assert {
        "messages": b"8\n",
        "messages.0.gz": b"6\n7\n",
        "messages.1.gz": b"4\n5\n",
    } == contents(tmp_path)


def test_a_batch_longer_than_a_file_is_written_all_the_same(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "messages", Rule(size=2))
    file.append(b"long\n")
    file.close()

    assert {"messages": b"long\n"} == contents(tmp_path)


def test_half_a_line_of_a_killed_writer_is_cut(tmp_path: Path) -> None:
    (tmp_path / "messages").write_bytes(b"whole\nha")
    file = LogFile(tmp_path / "messages")
    file.append(b"next\n")
    file.close()

    assert {"messages": b"whole\nnext\n"} == contents(tmp_path)


def test_a_removed_file_is_made_again(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "messages")
    file.append(b"1\n")
    (tmp_path / "messages").unlink()
    file.append(b"2\n")
    file.close()

    assert {"messages": b"2\n"} == contents(tmp_path)


def test_a_write_that_fails_half_way_leaves_nothing_of_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    room = 3

    def write(fd: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(28, "No space left on device")
        written = real(fd, data[:room])
        room -= written
        return written

    file = LogFile(tmp_path / "messages")
    file.append(b"1\n")
    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space left"):
        file.append(b"22\n33\n")
    failed = contents(tmp_path)
    room = 100
    file.append(b"22\n33\n")
    file.close()

    assert {"messages": b"1\n"} == failed
    assert {"messages": b"1\n22\n33\n"} == contents(tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"")
    file = LogFile(tmp_path / "log" / "messages")

    with pytest.raises(OSError, match=r"exists|Not a directory"):
        file.append(b"1\n")


def test_a_file_that_cannot_be_rotated_is_written_on(tmp_path: Path) -> None:
    (tmp_path / "messages.0").mkdir()
    file = LogFile(tmp_path / "messages", Rule(size=4, files=2))
    for number in range(4):
        file.append(b"%d\n" % number)
    file.close()

    assert b"0\n1\n2\n3\n" == (tmp_path / "messages").read_bytes()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, Rule()),
        ({"log": {"size": 70000, "files": 3}}, Rule(size=70000, files=3)),
        ({"log": {"size": "1m", "files": 3}}, Rule()),
        ({"log": None}, Rule()),
    ],
)
def test_the_rule_comes_with_the_order(options: dict[str, Json], expected: Rule) -> None:
    assert expected == read_rule(options)

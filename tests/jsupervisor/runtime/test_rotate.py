"""Rotation: what is kept, what a kill leaves, and that a writer who knows nothing loses nothing."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsupervisor.runtime import rotate
from jsupervisor.runtime.rotate import Rule, archive, limit, lines, plain, tail, trim

RULE = Rule(size=64 * 1024, files=1000)


def content(path: Path) -> bytes:
    return b"".join(line + b"\n" for line in lines(path))


def everything(path: Path, files: int = 1000) -> list[bytes]:
    """All lines that are kept, oldest first."""
    numbers = [n for n in reversed(range(files)) if lines(path, n)]
    return [line for n in (*numbers, None) for line in lines(path, n)]


def used(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rpd.stderr"


# -- one's own file -------------------------------------------------------------------------------


def test_an_own_file_becomes_the_newest_predecessor(path: Path) -> None:
    for number in range(5):
        path.write_text(f"{number}\n")
        rotate.rotate(path, 3)

    assert [[b"4"], [b"3"], [b"2"], []] == [lines(path, n) for n in range(4)]
    assert not path.exists()
    assert ["rpd.stderr.0.gz", "rpd.stderr.1.gz", "rpd.stderr.2.gz"] == sorted(
        os.listdir(path.parent)
    )


def test_the_newest_predecessor_may_stay_uncompressed_for_a_while(path: Path) -> None:
    for number in range(5):
        path.write_text(f"{number}\n")
        rotate.rotate(path, 3, delay=True)

    assert [[b"4"], [b"3"], [b"2"], []] == [lines(path, n) for n in range(4)]
    assert ["rpd.stderr.0", "rpd.stderr.1.gz", "rpd.stderr.2.gz"] == sorted(os.listdir(path.parent))


def test_what_a_kill_left_uncompressed_is_not_lost(path: Path) -> None:
    plain(path).write_text("killed while this was compressed\n")
    archive(path, 0).with_name("rpd.stderr.0.gz.new").write_text("half")
    path.write_text("next\n")
    rotate.rotate(path, 5)

    assert [b"killed while this was compressed", b"next"] == everything(path)


def test_one_file_is_the_least_that_is_kept(path: Path) -> None:
    for number in range(3):
        path.write_text(f"{number}\n")
        rotate.rotate(path, 1)

    assert ["rpd.stderr.0.gz"] == os.listdir(path.parent)
    assert [b"2"] == lines(path, 0)


# -- a file that others hold ----------------------------------------------------------------------


def test_a_short_file_is_left_alone(path: Path) -> None:
    path.write_bytes(b"x\n" * 1000)

    assert not trim(path, RULE)
    assert [path.name] == os.listdir(path.parent)


def test_a_file_that_is_not_there_needs_nothing(path: Path) -> None:
    assert not trim(path, RULE)


def test_old_lines_go_into_the_archive_and_the_newest_stay(path: Path) -> None:
    wanted = [b"line %06d" % n for n in range(20_000)]
    path.write_bytes(b"".join(line + b"\n" for line in wanted))
    length = path.stat().st_size

    assert trim(path, RULE)
    assert wanted == lines(path, 0) + lines(path)
    assert RULE.size / 8 < len(content(path)) <= RULE.size / 4 + len(b"line 000000\n")
    assert length == path.stat().st_size
    assert used(path) <= RULE.size / 4 + 8192
    assert not trim(path, RULE)
    assert 0o600 == archive(path, 0).stat().st_mode & 0o777


def test_a_line_that_never_ends_is_cut(path: Path) -> None:
    path.write_bytes(b"x" * 1_000_000)

    assert trim(path, RULE)
    assert b"x" * 1_000_000 == lines(path, 0)[0] + content(path).rstrip(b"\n")


def test_a_link_of_either_kind_is_left_alone(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"x\n" * 100_000)
    path.symlink_to(other)
    with pytest.raises(OSError):
        trim(path, RULE)
    path.unlink()
    path.hardlink_to(other)

    assert not trim(path, RULE)
    assert b"x\n" * 100_000 == other.read_bytes()


def test_a_pipe_is_left_alone(path: Path) -> None:
    os.mkfifo(path)

    assert not trim(path, RULE)


def test_nothing_is_written_through_a_link_that_somebody_put_in_the_way(
    path: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("rpd.stderr.gz.new", "rpd.stderr.0.gz.new", "rpd.stderr.0.gz"):
        (tmp_path / name).symlink_to(victim)
    path.write_bytes(b"x\n" * 100_000)
    trim(path, RULE)
    rotate.rotate(path, 5)

    assert "precious" == victim.read_text()
    assert [b"x"] * 100_000 == lines(path, 1) + lines(path, 0)


def test_the_tail_of_a_file_skips_what_was_punched_out(path: Path) -> None:
    path.write_bytes(b"0123456789abcde\n" * 10_000)
    trim(path, RULE)

    assert b"0123456789abcde\n" * 2 == tail(path, 32)
    assert b"\0" not in tail(path, 10_000_000)


def test_an_empty_file_and_one_that_is_all_hole_have_no_lines(path: Path) -> None:
    path.touch()
    empty = lines(path)
    os.truncate(path, 100_000)

    assert [] == empty == lines(path)
    assert not trim(path, RULE)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=200).filter(lambda b: not set(b) & set(b"\n\0\r\x0b\x0c\x1c\x1d\x1e\x85"))),
    st.integers(64, 4096),
    st.integers(1, 40),
)  # fmt: skip
def test_whatever_is_written_between_rotations_is_there_once_and_in_order(
    written: list[bytes], size: int, every: int
) -> None:
    import tempfile

    rule = Rule(size=size, files=1000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.log"
        with path.open("ab", buffering=0) as file:
            for number, line in enumerate(written):
                file.write(line + b"\n")
                if number % every == 0:
                    trim(path, rule)
        kept = everything(path)

    assert written == kept


WRITER = """
import os, sys, time
line = b"%s %09d " + b"x" * int(sys.argv[3]) + b"\\n"
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
running = True
def stop(*_):
    global running
    running = False
import signal
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
while running:
    os.write(fd, line % (sys.argv[2].encode(), number))
    number += 1
print(number)
"""


@contextmanager
def writers(path: Path, names: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that append lines to the file as fast as they can."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name, "60"], stdout=subprocess.PIPE
        )
        for name in names
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert b"ready\n" == process.stdout.readline()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_two_processes_that_write_without_a_pause_lose_no_line(path: Path) -> None:
    rotations = 0
    with writers(path, "ab") as processes:
        while rotations < 25:
            rotations += trim(path, RULE)
        written = []
        for process in processes:
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
            written.append(int(out))
    trim(path, RULE)
    kept = everything(path)

    for name, count in zip((b"a", b"b"), written, strict=True):
        mine = [line.split(b" ") for line in kept if line.startswith(name)]
        assert list(range(count)) == [int(words[1]) for words in mine]
        assert {b"x" * 60} == {words[2] for words in mine}
    assert used(path) <= RULE.size + 8192


def test_a_kill_between_archive_and_hole_repeats_lines_and_loses_none(path: Path) -> None:
    wanted = [b"line %06d" % n for n in range(10_000)]
    path.write_bytes(b"".join(line + b"\n" for line in wanted))
    whole = path.read_bytes()
    trim(path, RULE)
    path.write_bytes(whole)  # as if the hole had not been punched any more
    trim(path, RULE)
    kept = everything(path)

    assert set(wanted) == set(kept)
    assert wanted == kept[-len(wanted) :]


# -- the bound on everything ----------------------------------------------------------------------


def test_the_oldest_archives_go_until_all_fits(tmp_path: Path) -> None:
    logs, crash = tmp_path / "log", tmp_path / "crash"
    for folder in (logs, crash):
        folder.mkdir()
    for age, path in enumerate(
        (logs / "b.stderr.0.gz", crash / "rpd.core.0.gz", logs / "a.stderr.1.gz")
    ):
        path.write_bytes(os.urandom(100_000))
        os.utime(path, (1000 - age, 1000 - age))
    (logs / "a.stderr").write_bytes(os.urandom(100_000))
    folders = {logs: "*.gz", crash: "*.core.*"}

    removed = limit(folders, 250_000)

    assert [logs / "a.stderr.1.gz", crash / "rpd.core.0.gz"] == removed
    assert [] == limit(folders, 250_000)
    assert [logs / "b.stderr.0.gz"] == limit(folders, 1)
    assert (logs / "a.stderr").exists()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert [] == limit({tmp_path / "none": "*"}, 0)


def test_an_archive_that_is_torn_has_no_lines(path: Path) -> None:
    archive(path, 0).write_bytes(gzip.compress(b"x\n" * 1000)[:-20])

    assert [] == lines(path, 0)


def test_files_that_nobody_writes_to_begin_anew_when_they_are_long_or_have_holes(
    tmp_path: Path,
) -> None:
    short, long, holed = (tmp_path / f"{name}.stderr" for name in ("short", "long", "holed"))
    short.write_bytes(b"x\n")
    long.write_bytes(b"long\n" * 20_000)
    holed.write_bytes(b"holed\n" * 20_000)
    trim(holed, RULE)
    left = lines(holed)
    (tmp_path / "messages").write_bytes(b"x\n" * 100_000)
    rotate.begin_anew(tmp_path, rotate.HELD, RULE)

    assert {"short.stderr", "messages"} == {
        path.name for path in tmp_path.iterdir() if path.suffix != ".gz"
    }
    assert [b"long"] * 20_000 == lines(long, 0)
    assert left == lines(holed, 0)
    assert [b"holed"] * 20_000 == lines(holed, 1) + lines(holed, 0)

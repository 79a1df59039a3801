"""Keeping the log folder small, with real files and the kernel's word on who writes."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from jsupervisor.jlaunchd import logkeeper
from jsupervisor.jlaunchd.logkeeper import LogKeeper
from jsupervisor.runtime.rotate import Rule, archive, lines

RULE = Rule(size=64 * 1024, files=3, total=1 << 30)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keeper(logs: Path, told: list[str]) -> LogKeeper:
    return LogKeeper(logs, logs.parent / "crash", lambda: RULE, told.append)


def write(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.write(b"0123456789abcde\n" * (size // 16))


def test_stderr_and_foreign_logs_are_kept_short_and_eventd_s_files_left_alone(
    keeper: LogKeeper, logs: Path
) -> None:
    for name in ("rpd.stderr", "nginx.log", "messages", "messages.jsonl", "short.log"):
        write(logs / name, 1000 if name == "short.log" else 200_000)

    assert [logs / "nginx.log", logs / "rpd.stderr"] == keeper.look()
    assert archive(logs / "rpd.stderr", 0).exists()
    assert not archive(logs / "messages", 0).exists()
    assert [] == keeper.look()


def test_a_file_gets_a_further_archive_each_time_and_the_oldest_go(
    keeper: LogKeeper, logs: Path
) -> None:
    for _ in range(5):
        write(logs / "rpd.stderr", 100_000)
        keeper.look()

    assert [True, True, True, False] == [
        archive(logs / "rpd.stderr", number).exists() for number in range(4)
    ]


def test_all_logs_and_core_files_together_have_a_bound(logs: Path, told: list[str]) -> None:
    crash = logs.parent / "crash"
    crash.mkdir()
    (crash / "rpd.core.0.gz").write_bytes(os.urandom(300_000))
    os.utime(crash / "rpd.core.0.gz", (0, 0))
    rule = Rule(size=64 * 1024, files=3, total=200_000)
    write(logs / "rpd.stderr", 100_000)
    LogKeeper(logs, crash, lambda: rule, told.append).look()

    assert not (crash / "rpd.core.0.gz").exists()
    assert archive(logs / "rpd.stderr", 0).exists()


def test_what_cannot_be_rotated_is_told_once(
    keeper: LogKeeper, logs: Path, told: list[str]
) -> None:
    (logs / "rpd.stderr").symlink_to(logs / "elsewhere")
    write(logs / "elsewhere", 100_000)
    keeper.look()
    keeper.look()

    assert [f"cannot rotate {logs / 'rpd.stderr'}: {os.strerror(errno.ELOOP)}"] == told


@asynccontextmanager
async def running(keeper: LogKeeper) -> AsyncGenerator[None, None]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keeper.run)
        yield
        nursery.cancel_scope.cancel()


class Counting(LogKeeper):
    """Counts how often it looks."""

    looks = 0

    def look(self) -> list[Path]:
        trimmed = super().look()
        self.looks += 1
        return trimmed


async def test_a_write_wakes_it_and_nothing_else_does(
    logs: Path, told: list[str], autojump_clock: MockClock
) -> None:
    keeper = Counting(logs, logs.parent / "crash", lambda: RULE, told.append)
    (logs / "rpd.stderr").touch()
    async with running(keeper):
        while not keeper.looks:
            await trio.sleep(0.01)
        await trio.sleep(3600)
        idle = keeper.looks
        write(logs / "rpd.stderr", 200_000)
        while not archive(logs / "rpd.stderr", 0).exists():
            await trio.sleep(0.1)
        while keeper.looks < 2:
            await trio.sleep(0.1)
        await trio.sleep(3600)

    assert 1 == idle
    assert 2 <= keeper.looks <= 4
    assert 200_000 == 16 * (len(lines(logs / "rpd.stderr", 0)) + len(lines(logs / "rpd.stderr")))


def test_the_kernel_s_word_is_readable_after_a_write_only(logs: Path) -> None:
    import select

    watch = logkeeper._watch(logs)
    assert watch is not None
    try:
        (logs / "x").touch()
        before = select.select([watch], [], [], 0)[0]
        write(logs / "x", 100)
        after = select.select([watch], [], [], 5)[0]
        logkeeper._drain(watch)
        drained = select.select([watch], [], [], 0)[0]
    finally:
        os.close(watch)

    assert ([], [watch], []) == (before, after, drained)


def test_a_folder_that_cannot_be_watched_is_looked_at_now_and_then(tmp_path: Path) -> None:
    assert logkeeper._watch(tmp_path / "none") is None

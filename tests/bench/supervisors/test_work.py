"""Both programs stamp and say ready in each of the ways that supervisors know."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from bench.supervisors.board import Board
from bench.supervisors.work import COMPILER, Kind, Work, program

KINDS: tuple[Kind, ...] = ("c", "python")
pytestmark = pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_stamps_and_writes_the_newline_of_s6(
    kind: Kind, folder: Path, tmp_path: Path
) -> None:
    with Board(tmp_path / "board") as board:
        readable, writable = os.pipe()
        work = Work(
            index=4,
            program=program(kind, folder),
            board=str(board.path),
            mark="test-work",
            ready=f"fd:{writable}",
        )
        began = time.monotonic_ns()
        with (
            subprocess.Popen(work.command, pass_fds=[writable]) as process,
            ExitStack() as end,
        ):
            end.callback(process.kill)
            os.close(writable)

            assert b"\n" == os.read(readable, 10)
            assert board.wait_all([4], began, 10.0)
            assert process.pid == board.newest[4].pid
            assert began < board.newest[4].ns < time.monotonic_ns()
        os.close(readable)


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_notifies_and_beats(
    kind: Kind, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Board(tmp_path / "board") as board,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        work = Work(
            index=0,
            program=program(kind, folder),
            board=str(board.path),
            mark="test-work",
            ready="notify",
            beat_ms=1,
        )
        with subprocess.Popen(work.command) as process, ExitStack() as end:
            end.callback(process.kill)
            heard = [listener.recv(100) for _ in range(3)]

    assert [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"] == heard


def test_a_run_script_is_the_program_itself_where_it_can_be(folder: Path, tmp_path: Path) -> None:
    with Board(tmp_path / "board") as board:
        work = Work(
            index=1, program=program("c", folder), board=str(board.path), mark="test-script"
        )
        script = tmp_path / "run"
        script.write_text(work.script)
        script.chmod(0o755)
        with subprocess.Popen([str(script)]) as process, ExitStack() as end:
            end.callback(process.kill)
            assert board.wait_all([1], 0, 10.0)

    assert work.script.startswith("#!")
    assert "/bin/sh" not in work.script

"""Names of test instances, and proof that nothing of one is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from jsupervisor.observer import processes
from jsupervisor.paths import Instance
from jsupervisor.testing.harness import leftovers, naming, tail, unique_name


def instance(folder: Path) -> Instance:
    return Instance("x", folder / "home", folder / "run")


def test_names_are_unique() -> None:
    assert unique_name() != unique_name()


def test_an_instance_that_never_was_left_nothing(tmp_path: Path) -> None:
    assert not leftovers(instance(tmp_path))


def test_a_socket_file_is_left(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "rpd.sock").touch()
    left = leftovers(instance(tmp_path))

    assert left
    assert f"processes: none; files: {tmp_path}/run/rpd.sock" == str(left)


def test_a_process_that_names_the_folder_is_left(tmp_path: Path) -> None:
    command = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()", str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        # The child's command line is its own only after exec.
        while not naming(str(tmp_path / "run")):
            pass
        pids = [each.pid for each in leftovers(instance(tmp_path)).processes]
        process.kill()

    assert [process.pid] == pids
    assert not leftovers(instance(tmp_path))


def test_a_process_known_from_before_is_left(tmp_path: Path) -> None:
    own = processes.identify(os.getpid())
    assert own is not None

    assert (own,) == leftovers(instance(tmp_path), [own]).processes


def test_the_tail_of_a_log_is_its_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a\nb\nc\n")

    assert "b\nc" == tail(tmp_path / "log", 2)
    assert "" == tail(tmp_path / "none")

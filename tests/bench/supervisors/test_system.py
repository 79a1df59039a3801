"""What all systems share: versions, finding programs, ending whatever was started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.supervisors import procfs
from bench.supervisors.system import debian_version, find, reap, upstream, write
from bench.supervisors.work import NotToBeHad

ENDS_ALL = """
import subprocess, sys
from bench.supervisors.system import end_descendants
from jsupervisor import linux
linux.become_subreaper()
parent = subprocess.Popen([sys.executable, "-S", "-c", '''
import subprocess, sys
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(child.pid, flush=True)
'''], stdout=subprocess.PIPE, text=True)
child = parent.stdout.readline()
parent.wait()
end_descendants()
print(child)
"""


@pytest.mark.parametrize(
    ("debian", "expected"),
    [
        ("1:25.2.3+dfsg-1+deb12u4", "25.2.3"),
        ("2.11.3.2-1", "2.11.3.2"),
        ("252.39-1~deb12u2", "252.39"),
        ("2.1.2-54", "2.1.2"),
    ],
)
def test_the_upstream_version_is_what_counts(debian: str, expected: str) -> None:
    assert expected == upstream(debian)


def test_what_is_not_installed_is_not_to_be_had() -> None:
    with pytest.raises(NotToBeHad, match="no-such-program is not installed"):
        find("no-such-program", "no-such-package")
    with pytest.raises(NotToBeHad, match="no-such-package"):
        debian_version("no-such-package")


def test_orphans_are_ended_too() -> None:
    root = str(Path(__file__).resolve().parents[3])
    command = [sys.executable, "-c", ENDS_ALL]
    environment = {"PYTHONPATH": root, "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert "" == result.stderr
    assert not procfs.lives(int(result.stdout))


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "run", "#!/bin/true\n", 0o755)

    assert 0o755 == (tmp_path / "a" / "b" / "run").stat().st_mode & 0o777


def test_without_children_there_is_nothing_to_reap() -> None:
    reap()

"""Who may import whom is kept, and a breach would be noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("protos", "supervisor", "daemons", "chassis_profiles")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """import-linter's verdict on a tree."""
    path = os.pathsep.join(str(root / folder) for folder in FOLDERS)
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_contracts_are_kept() -> None:
    done = lint(ROOT)

    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("supervisor/jsupervisor/boot.py", "import jdaemons.rpd.core"),
        ("daemons/jdaemons/rpd/core.py", "import jdaemons.dcd.core"),
        ("daemons/jdaemons/rpd/events.py", "import jsupervisor.jlaunchd.core"),
        ("supervisor/jsupervisor/init/table.py", "import trio"),
        ("supervisor/jsupervisor/runtime/fsm.py", "import jsupervisor.faults.registry"),
        ("daemons/jdaemons/dcd/core.py", "import trio"),
        ("daemons/jdaemons/dcd/names.py", "import time"),
        ("daemons/jdaemons/mgd/core.py", "import socket"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, file: str, line: str) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / file
    planted.write_text(f"{planted.read_text()}\n{line}\n")

    assert 1 == lint(tmp_path).returncode


def imported(statement: str, *flags: str) -> set[str]:
    """Top-level packages in a fresh interpreter after a statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    path = os.pathsep.join(str(ROOT / folder) for folder in FOLDERS)
    done = subprocess.run(
        [sys.executable, *flags, "-P", "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return set(done.stdout.split())


def test_init_needs_nothing_that_is_installed() -> None:
    # -S: there is no site-packages folder.
    strangers = imported("import jsupervisor.init.__main__", "-S") - sys.stdlib_module_names

    assert {"jsupervisor"} == strangers - {"__main__"}


def test_the_packet_engine_has_neither_grpc_nor_trio() -> None:
    names = imported("import jdaemons.pfe.engine, jsupervisor.runtime.lean")

    assert set() == names & {"grpc", "trio", "google", "jprotos", "structlog"}

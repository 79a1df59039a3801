"""A module that goes on after an exec is held to its role like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jsupervisor.containment import machine
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.testing import Router

PLAN = """
[profile]
name = "one"

[program.rpd]
entry = "jsupervisor.runtime.daemon:Daemon"
launch = "exec"
"""


@pytest.mark.parametrize(
    ("stage", "there", "missing"), [("full", "trio", "sqlite3"), ("lean", "ctypes", "trio")]
)
def test_everything_is_imported_before_the_seal(stage: str, there: str, missing: str) -> None:
    code = (
        "import sys; from jsupervisor.launcher.resume import import_all;"
        f"import_all({{'stage': '{stage}', 'entry': 'uuid:UUID', 'parts': ["
        "{'entry': 'fractions:Fraction'}, {'entry': 'monolith'}]});"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    names = set(done.stdout.split())

    assert {"uuid", "fractions", there} <= names
    assert missing not in names


@pytest.mark.system
def test_an_executed_module_is_sealed() -> None:
    with Router.boot(plan=parse_plan(PLAN, "one.toml")) as router:
        pid = router.processes()["rpd"].pid
        status = Path(f"/proc/{pid}/status").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    assert b"jsupervisor.launcher.resume" in command
    assert ("1", "2" if machine.look().seccomp else "0") == (
        fields["NoNewPrivs"],
        fields["Seccomp"],
    )
    if os.geteuid() == 0 and not machine.look().no_landlock:
        assert "0" != fields["Uid"].split()[0]

"""What is installed is what is in the tree, under names that cannot be confused."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"jprotos", "jsupervisor", "jdaemons", "jchassis"}


def test_the_source_roots_are_no_packages() -> None:
    found = list(ROOT.glob("*/__init__.py"))
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import jsupervisor; print(jsupervisor.__name__)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert [] == found
    assert "jsupervisor" == done.stdout.strip()


@pytest.mark.system
def test_the_wheel_holds_every_package_with_its_data(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if "dist-info" not in name} == PACKAGES
    assert "jchassis/vmx.toml" in names
    assert "jsupervisor/py.typed" in names
    assert "jprotos/rpd/v1/rpd_pb2.py" in names

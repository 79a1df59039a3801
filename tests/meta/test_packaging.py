"""What is installed is what is in the tree, under names that cannot be confused."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache"}
PACKAGES = {
    "jchassis": "chassis_profiles",
    "jdaemons": "daemons",
    "jprotos": "protos",
    "jsupervisor": "supervisor",
}


def python(
    *arguments: str, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that does not look into its working folder, but first into `path`."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the tree with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder))
    done = python("-m", "pip", "wheel", "-q", *options, str(ROOT), cwd=folder)
    assert 0 == done.returncode, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def committed(folder: str) -> set[str]:
    """Files of a source root that belong into the wheel, relative to it."""
    root = ROOT / folder
    return {
        str(path.relative_to(root))
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and not CACHES.intersection(path.parts)
    }


def test_every_source_root_holds_exactly_one_package() -> None:
    found = {
        folder: [path.parent.name for path in (ROOT / folder).glob("*/__init__.py")]
        for folder in PACKAGES.values()
    }

    assert {folder: [package] for package, folder in PACKAGES.items()} == found


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_can_be_imported_under_a_second_name(package: str) -> None:
    # From the repository's root a folder would do as a namespace package, and classes would exist twice.
    assert not list(ROOT.glob("*/__init__.py"))

    done = python("-c", f"import {PACKAGES[package]}.{package}", cwd=ROOT)

    assert "ModuleNotFoundError" in done.stderr


def test_linters_refuse_the_names_of_the_folders() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    banned = settings["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]

    assert set(PACKAGES.values()) == set(banned)


@pytest.mark.system
def test_the_wheel_holds_all_files_of_every_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    code = {name for name in names if ".dist-info/" not in name}

    assert set.union(*(committed(folder) for folder in PACKAGES.values())) == code
    assert {f"{package}/py.typed" for package in PACKAGES} <= code
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)


@pytest.mark.system
def test_what_the_wheel_installs_runs_away_from_the_tree(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    options = ("--no-deps", "--no-index", "--target", str(target))
    done = python("-m", "pip", "install", "-q", *options, str(wheel), cwd=tmp_path)
    assert 0 == done.returncode, done.stderr

    imported = python(
        "-c",
        "import jdaemons.rpd.daemon as rpd, jchassis; print(rpd.__file__); print(*jchassis.profile_names())",
        cwd=tmp_path,
        path=target,
    )
    listed = python("-m", "jsupervisor.cli.main", "--version", cwd=tmp_path, path=target)

    assert imported.stdout.splitlines() == [
        str(target / "jdaemons/rpd/daemon.py"),
        "mx240 vmx",
    ], imported.stderr
    assert "0.1.0" in listed.stdout, listed.stderr

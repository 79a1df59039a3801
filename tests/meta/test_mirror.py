"""Every module has a test file of its own, at the mirrored place, and every test file has its module."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORT = 40
PACKAGES = {"supervisor": "jsupervisor", "daemons": "jdaemons", "chassis_profiles": "jchassis"}

ELSEWHERE = {
    "jsupervisor/jlaunchd/__main__.py": "argument parsing alone, run by every system test",
}
"""Modules that are tested somewhere else, and why."""

WITHOUT_MODULE = {
    "jchassis/test_docs.py": "tests docs/how-to/add-a-profile.md",
    "jchassis/test_profiles.py": "tests the profiles, which are data",
    "jdaemons/mgd/test_docs.py": "tests docs/how-to/configuration.md",
    "jdaemons/pfe/test_readers.py": "tests writer and reader as two processes",
    "jdaemons/pfe/test_process.py": "tests the engine as a real process",
}
"""Test files that mirror no module, and what they test."""


def does_something(path: Path) -> bool:
    """Has a module any function? Plain data needs no test."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(ast.parse(path.read_text()))
    )


def mirrored(source: Path) -> Path:
    """Where the test of a module is: a package's own is called after the package."""
    if source.name == "__init__.py":
        return source.parent / f"test_{source.parent.name}.py"
    return source.parent / f"test_{source.name}"


MODULES = sorted(
    path.relative_to(ROOT / folder)
    for folder, package in PACKAGES.items()
    for path in (ROOT / folder / package).rglob("*.py")
)
LONG = [
    module
    for module in MODULES
    for folder, package in PACKAGES.items()
    if module.parts[0] == package
    and (ROOT / folder / module).read_text().count("\n") > SHORT
    and does_something(ROOT / folder / module)
]
TESTS = sorted(
    path.relative_to(ROOT / "tests")
    for package in PACKAGES.values()
    for path in (ROOT / "tests" / package).rglob("test_*.py")
)


@pytest.mark.parametrize("module", LONG, ids=str)
def test_a_module_has_its_test_file(module: Path) -> None:
    assert (ROOT / "tests" / mirrored(module)).exists() or str(module) in ELSEWHERE


def test_a_test_file_has_its_module() -> None:
    # A big module's tests may be several files: test_core.py, test_core_adoption.py.
    stems = tuple(str(mirrored(module).with_suffix("")) for module in MODULES)
    lost = {
        str(test)
        for test in TESTS
        if not any(f"{test.with_suffix('')}_".startswith(f"{stem}_") for stem in stems)
    }

    assert set() == lost - set(WITHOUT_MODULE)


def test_the_list_of_exceptions_names_only_what_needs_one() -> None:
    needed = {str(module) for module in LONG if not (ROOT / "tests" / mirrored(module)).exists()}

    assert set(ELSEWHERE) <= needed

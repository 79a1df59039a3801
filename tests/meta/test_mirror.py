"""Every module has a test file of its own, at the mirrored place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORT = 40

ELSEWHERE = {
    "jsupervisor/jlaunchd/__main__.py": "argument parsing alone, run by every system test",
    "jdaemons/mgd/__main__.py": "tested by the command `config check`",
}
"""Modules that are tested somewhere else, and why."""


def does_something(text: str) -> bool:
    """Has a module any function? Plain data needs no test."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(ast.parse(text))
    )


SOURCES = sorted(
    path.relative_to(ROOT / folder)
    for folder in ("supervisor", "daemons", "chassis_profiles")
    for path in (ROOT / folder).rglob("*.py")
    if path.name != "__init__.py"
    and path.read_text().count("\n") > SHORT
    and does_something(path.read_text())
)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_module_has_its_test_file(source: Path) -> None:
    expected = ROOT / "tests" / source.parent / f"test_{source.name}"

    assert expected.exists() or str(source) in ELSEWHERE


def test_the_list_of_exceptions_names_only_what_exists() -> None:
    assert set() == set(ELSEWHERE) - {str(source) for source in SOURCES}

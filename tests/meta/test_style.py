"""Numbers that the tree holds itself to: short files, short functions, docstrings, no loose ends."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("supervisor", "daemons", "chassis_profiles", "protos", "bench", "docs")
    for path in (ROOT / folder).rglob("*.py")
    if "_pb2" not in path.name
)
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)

    assert text.count("\n") <= 500
    assert not text.strip() or ast.get_docstring(tree)
    assert not NOTE.search(text)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_function_is_short(path: Path) -> None:
    tree = ast.parse(path.read_text())
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, FUNCTION) and lines_of_code(node) > 60
    ]

    assert [] == long


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_whatever_is_public_says_what_it_means(path: Path) -> None:
    assert [] == list(undocumented(ast.parse(path.read_text())))


def undocumented(node: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Public classes, functions and methods without a docstring."""
    for child in node.body:
        if isinstance(child, FUNCTION | ast.ClassDef) and not child.name.startswith("_"):
            if ast.get_docstring(child) is None:
                yield child.name
            if isinstance(child, ast.ClassDef):
                yield from undocumented(child)


def test_the_median_function_fits_at_a_glance() -> None:
    lengths = [
        lines_of_code(node)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTION)
    ]

    assert median(lengths) <= 10


def lines_of_code(node: FUNCTION) -> int:
    """The length of a function without its docstring."""
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_mypy_is_told_to_look_away_only_with_a_reason_code() -> None:
    bare = [name(path) for path in SOURCES if re.search(r"# type: ignore(?!\[)", path.read_text())]

    assert [] == bare

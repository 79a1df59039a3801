"""The table of roles in docs/containment.md is that of the roles."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_roles_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("roles", DOCS / "make_role_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "containment.md").read_text()

    assert module.written(page) == page, "run docs/make_role_table.py"

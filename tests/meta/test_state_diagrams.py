"""The pictures of the state machines are those of their tables."""

from __future__ import annotations

import importlib.util
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_every_drawing_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("diagrams", DOCS / "make_state_diagrams.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    committed = {path.name: path.read_text() for path in (DOCS / "states").glob("*.dot")}

    assert module.drawings() == committed, "run docs/make_state_diagrams.py"

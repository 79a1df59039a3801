"""The contracts between modules: generated code is fresh, and nothing released changes its meaning."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROTOS = Path(__file__).parents[2] / "protos"
FILES = sorted(PROTOS.glob("jprotos/**/*.proto"))


def genprotos() -> ModuleType:
    """protos/genprotos.py, which is a script beside the package and not in it."""
    spec = importlib.util.spec_from_file_location("genprotos", PROTOS / "genprotos.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["genprotos"] = module
    spec.loader.exec_module(module)
    return module


def test_the_generated_modules_are_those_of_the_protos() -> None:
    assert [] == genprotos().drift()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_package_is_named_after_its_folder_and_version(path: Path) -> None:
    package = re.search(r"^package ([\w.]+);", path.read_text(), re.MULTILINE)
    expected = ".".join(path.parent.relative_to(PROTOS).parts)

    assert package is not None
    assert expected == package[1]
    assert re.fullmatch(r"jprotos\.\w+\.v\d+", expected)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_method_stands_in_the_table_of_callers(path: Path) -> None:
    from jsupervisor.runtime.callers import ALLOWED, WATCH

    text = path.read_text()
    package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
    service = re.search(r"^service (\w+)", text, re.MULTILINE)
    if package is None or service is None:
        return
    methods = re.findall(r"^  rpc (\w+)", text, re.MULTILINE)
    names = {f"/{package[1]}.{service[1]}/{method}" for method in methods}

    assert set() == names - set(ALLOWED) - {WATCH}

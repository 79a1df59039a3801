"""The contracts between modules: generated code is fresh, and nothing released changes its meaning."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

PROTOS = Path(__file__).parents[2] / "protos"
FILES = sorted(PROTOS.glob("jprotos/**/*.proto"))


def script(name: str) -> ModuleType:
    """A script beside the package, which is not in it."""
    spec = importlib.util.spec_from_file_location(name, PROTOS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_modules_are_those_of_the_protos() -> None:
    assert [] == script("genprotos").drift()


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


def test_nothing_released_has_changed_its_meaning() -> None:
    released = script("released")

    assert released.promised()
    assert [] == released.breaches(released.promised(), released.current())


@pytest.mark.parametrize(
    ("new", "breach"),
    [
        ({"m 1": "a uint32"}, ""),
        ({"m 1": "a uint32", "m 2": "b string"}, ""),
        ({"m 1": "reserved", "m 2": "a uint32"}, ""),
        ({"m 2": "a uint32"}, "m 1 was 'a uint32' and is 'gone, and not reserved'"),
        ({"m 1": "b uint32"}, "m 1 was 'a uint32' and is 'b uint32'"),
        ({"m 1": "a string"}, "m 1 was 'a uint32' and is 'a string'"),
    ],
)
def test_a_number_keeps_its_meaning_or_is_reserved(new: dict[str, str], breach: str) -> None:
    assert ([breach] if breach else []) == script("released").breaches({"m 1": "a uint32"}, new)


def test_reserved_numbers_and_streams_are_seen() -> None:
    file = FileDescriptorProto(package="p.v1")
    message = file.message_type.add(name="M")
    message.reserved_range.add(start=3, end=5)
    message.field.add(name="f", number=1, type="TYPE_BYTES", label="LABEL_REPEATED")
    method = file.service.add(name="S").method.add(name="Do", server_streaming=True)
    method.input_type, method.output_type = ".p.v1.M", ".p.v1.N"

    expected = {
        "p.v1.M 1": "f repeated bytes",
        "p.v1.M 3": "reserved",
        "p.v1.M 4": "reserved",
        "p.v1.S/Do": ".p.v1.M returns stream .p.v1.N",
    }

    assert expected == dict(script("released").meanings(file))

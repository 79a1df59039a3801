"""What a release has promised on the wire: protos/released.txt, and what breaks it.

    python protos/released.py           at a release: add what is new to the list
    python protos/released.py --check   exit 1 and name what differs from it

A number that once stood for a field stands for it for ever: a peer of another version would read one thing
for the other. So the list is keyed by numbers. New lines come, no line goes and none changes, except that a
field may be given up: its number then stands in the .proto as `reserved`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)

ROOT: Final = Path(__file__).resolve().parent
LIST: Final = ROOT / "released.txt"
RESERVED: Final = "reserved"


def promised() -> dict[str, str]:
    """The list: what each number means."""
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    return dict(line.split(" = ", 1) for line in lines)


def current() -> dict[str, str]:
    """The same, of the generated modules in the tree."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.glob("jprotos/*/v*/*_pb2.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        found.update(meanings(file))
    return found


def meanings(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """Everything that a peer of another version relies on, as (number or method, meaning)."""
    for message in file.message_type:
        yield from _message(f"{file.package}.{message.name}", message)
    for enum in file.enum_type:
        yield from _enum(f"{file.package}.{enum.name}", enum)
    for service in file.service:
        yield from _service(f"{file.package}.{service.name}", service)


def _message(name: str, message: DescriptorProto) -> Iterator[tuple[str, str]]:
    for field in message.field:
        kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        repeated = "repeated " * (field.label == FieldDescriptorProto.LABEL_REPEATED)
        yield f"{name} {field.number}", f"{field.name} {repeated}{kind}{field.type_name}"
    for span in message.reserved_range:
        yield from ((f"{name} {number}", RESERVED) for number in range(span.start, span.end))
    for nested in message.nested_type:
        yield from _message(f"{name}.{nested.name}", nested)
    for enum in message.enum_type:
        yield from _enum(f"{name}.{enum.name}", enum)


def _enum(name: str, enum: EnumDescriptorProto) -> Iterator[tuple[str, str]]:
    for value in enum.value:
        yield f"{name} {value.number}", value.name
    for span in enum.reserved_range:
        yield from ((f"{name} {number}", RESERVED) for number in range(span.start, span.end + 1))


def _service(name: str, service: ServiceDescriptorProto) -> Iterator[tuple[str, str]]:
    for method in service.method:
        takes = "stream " * method.client_streaming + method.input_type
        gives = "stream " * method.server_streaming + method.output_type
        yield f"{name}/{method.name}", f"{takes} returns {gives}"


def breaches(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """What `new` does not keep of what `old` promised, one line each."""
    return [
        f"{name} was {meaning!r} and is {new.get(name, 'gone, and not reserved')!r}"
        for name, meaning in old.items()
        if new.get(name) not in (meaning, RESERVED)
    ]


def main() -> int:
    """Command line."""
    old, new = promised(), current()
    found = breaches(old, new)
    for line in found:
        print(f"cannot keep what was released: {line}")
    if not found and sys.argv[1:] != ["--check"]:
        lines = [f"{name} = {meaning}\n" for name, meaning in sorted((old | new).items())]
        LIST.write_text("".join(lines))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""`show interfaces terse`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jsupervisor.cli.render.values import Table, lines, rows, table, text
from jsupervisor.initproto import Json

_BEFORE_PROTO: Final = 35
_BEFORE_LOCAL: Final = 44


def terse(data: Json) -> str:
    """`interface-information` in its terse form."""
    information = table(data, "interface-information")
    return lines(
        [
            "Interface               Admin Link Proto    Local                 Remote",
            *(
                line
                for physical in rows(information, "physical-interface")
                for line in _physical(physical)
            ),
        ]
    )


def _physical(physical: Table) -> Iterator[str]:
    yield _head(physical)
    for logical in rows(physical, "logical-interface"):
        yield from _logical(logical)


def _head(interface: Table) -> str:
    return (
        f"{text(interface, 'name'):<23} {text(interface, 'admin-status'):<6}"
        f"{text(interface, 'oper-status'):<5}"
    )


def _logical(logical: Table) -> Iterator[str]:
    """The first family stands on the interface's line, the others below it."""
    start = _head(logical)
    for family in rows(logical, "address-family"):
        proto = f"{start:<{_BEFORE_PROTO}}{text(family, 'address-family-name'):<9}"
        addresses = rows(family, "interface-address")
        for number, address in enumerate(addresses):
            yield (" " * _BEFORE_LOCAL if number else proto) + _address(address)
        if not addresses:
            yield proto
        start = ""
    if start:
        yield start


def _address(address: Table) -> str:
    local, remote = text(address, "ifa-local"), text(address, "ifa-destination")
    return f"{local:<19} --> {remote}" if remote else local

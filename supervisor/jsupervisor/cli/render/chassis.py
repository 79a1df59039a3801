"""`show chassis hardware` and `show chassis fpc`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from jsupervisor.cli.render.values import Table, lines, rows, table, text
from jsupervisor.initproto import Json

_NESTED: Final = ("chassis-module", "chassis-sub-module", "chassis-sub-sub-module")
_FPC_HEAD: Final = (
    "                     Temp  CPU Utilization (%)   CPU Utilization (%)  Memory    Utilization (%)",
    "Slot State            (C)  Total  Interrupt      1min   5min   15min  DRAM (MB) Heap     Buffer",
)


def hardware(data: Json) -> str:
    """`chassis-inventory`."""
    chassis = table(data, "chassis-inventory", "chassis")
    return lines(
        [
            "Hardware inventory:",
            "Item             Version  Part number  Serial number     Description",
            *_items(chassis, 0),
        ]
    )


def _items(item: Table, depth: int) -> Iterator[str]:
    """An item and what is in it, each level two columns further to the right."""
    indent = "  " * max(0, depth - 1)
    yield (
        f"{indent + text(item, 'name'):<17}{text(item, 'version'):<9}"
        f"{text(item, 'part-number'):<13}{text(item, 'serial-number'):<18}"
        f"{text(item, 'description')}"
    )
    for key in _NESTED:
        for part in rows(item, key):
            yield from _items(part, depth + 1)


def fpc(data: Json) -> str:
    """`fpc-information`."""
    return lines(
        [*_FPC_HEAD, *(_fpc(each) for each in rows(table(data, "fpc-information"), "fpc"))]
    )


def _fpc(entry: Table) -> str:
    figures = (
        (text(entry, "cpu-total"), 4),
        (text(entry, "cpu-interrupt"), 10),
        (text(entry, "cpu-1min-avg"), 9),
        (text(entry, "cpu-5min-avg"), 7),
        (text(entry, "cpu-15min-avg"), 7),
        (text(entry, "memory-dram-size"), 7),
        (text(entry, "memory-heap-utilization"), 10),
        (text(entry, "memory-buffer-utilization"), 11),
    )
    return (
        f"{text(entry, 'slot'):>3}  {text(entry, 'state'):<17}{text(entry, 'temperature'):<7}"
        + "".join(f"{figure:>{width}}" for figure, width in figures)
    )

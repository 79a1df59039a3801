"""The chassis section of a profile as typed values: which FPCs, PICs and ports there are.

The profile's author is an operator, so nothing is trusted: what is missing or of a wrong type is
passed over here; `jsupervisor profile validate` is the place that complains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jsupervisor.initproto import Json

SPEEDS: Final[Mapping[str, int]] = {
    f"{number}{unit}": number * factor
    for number in (1, 2, 5, 10, 25, 40, 50, 100, 200, 400, 800)
    for unit, factor in (("m", 10**6), ("g", 10**9))
}
"""What a profile may write for a port's speed, in bits per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortPlace:
    """One port of the chassis."""

    name: str
    """"ge-0/0/1"."""
    fpc: int
    pic: int
    port: int
    index: int
    """Counts all ports of its FPC from 0, in the profile's order: the port's number in the engine."""
    speed: int
    """In bits per second; 0 when the profile does not say."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot with what the profile says of it."""

    number: int
    table: Mapping[str, Json]

    def text(self, key: str) -> str:
        """A string of its table; empty when there is none."""
        value = self.table.get(key)
        return value if isinstance(value, str) else ""


def slots(table: Mapping[str, Json], key: str) -> list[Slot]:
    """The tables [[KEY]] of a section that have a slot number, in the profile's order."""
    value = table.get(key)
    found = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return [
        Slot(number, item)
        for item in found
        if isinstance(item, Mapping) and isinstance(number := item.get("slot"), int)
    ]


def ports_of(fpc: Slot) -> Iterator[PortPlace]:
    """Every port of an FPC, in the order of their index."""
    index = 0
    for pic in slots(fpc.table, "pic"):
        count = pic.table.get("ports")
        speed = SPEEDS.get(pic.text("speed"), 0)
        for port in range(count if isinstance(count, int) else 0):
            yield PortPlace(
                name=f"{pic.text('media') or 'ge'}-{fpc.number}/{pic.number}/{port}",
                fpc=fpc.number,
                pic=pic.number,
                port=port,
                index=index,
                speed=speed,
            )
            index += 1


def all_ports(chassis: Mapping[str, Json]) -> list[PortPlace]:
    """Every port of a chassis, FPC by FPC."""
    return [port for fpc in slots(chassis, "fpc") for port in ports_of(fpc)]

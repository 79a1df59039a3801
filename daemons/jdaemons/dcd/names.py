"""Interface names as Junos writes them, and the index that belongs to each.

An index must stay with its name across restarts of dcd, whatever else is configured, and in whatever
order that becomes known. A counter, a sorted position or a probed hash each fail one of these; so the
index *is* the name, written as bits: media type, FPC, PIC, port, unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

LOOPBACK: Final = "lo0"

_MEDIA: Final = MappingProxyType({"fe": 1, "ge": 2, "xe": 3, "et": 4})
_LOOPBACK_MEDIA: Final = 7
_NAME: Final = re.compile(r"([a-z]{2})-(\d{1,2})/(\d)/(\d{1,3})")

FPC_BITS: Final = 5
PIC_BITS: Final = 2
PORT_BITS: Final = 7
UNIT_BITS: Final = 15


class InterfaceNameError(ValueError):
    """A name is none that this router can have; the text, beginning with "cannot", says why."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a physical interface is; orders as Junos lists interfaces, the loopback last."""

    media: int
    fpc: int
    pic: int
    port: int

    def index(self, unit: int) -> int:
        """The index of one unit, 32 bits, never 0; raises InterfaceNameError for a unit too high."""
        if not 0 <= unit < 1 << UNIT_BITS:
            raise InterfaceNameError(
                f"cannot number unit {unit}: {(1 << UNIT_BITS) - 1} is the last"
            )
        number = self.media
        for value, bits in (
            (self.fpc, FPC_BITS),
            (self.pic, PIC_BITS),
            (self.port, PORT_BITS),
            (unit, UNIT_BITS),
        ):
            number = number << bits | value
        return number


def place_of(name: str) -> Place:
    """The place of a physical interface ("ge-0/0/0", "lo0"); raises InterfaceNameError."""
    if name == LOOPBACK:
        return Place(_LOOPBACK_MEDIA, 0, 0, 0)
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in _MEDIA:
        kinds = ", ".join(f"{media}-F/P/T" for media in _MEDIA)
        raise InterfaceNameError(f"cannot use interface {name}: not one of {kinds}, {LOOPBACK}")
    fpc, pic, port = (int(number) for number in match.groups()[1:])
    if fpc >= 1 << FPC_BITS or pic >= 1 << PIC_BITS or port >= 1 << PORT_BITS:
        raise InterfaceNameError(f"cannot use interface {name}: no chassis has such a slot or port")
    return Place(_MEDIA[match[1]], fpc, pic, port)

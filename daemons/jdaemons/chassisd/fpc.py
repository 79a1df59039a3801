"""The states of an FPC, in Junos' words, and which event leads where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class FpcState(Enum):
    """What `show chassis fpc` prints."""

    EMPTY = "Empty"
    PRESENT = "Present"
    ANNOUNCE_ONLINE = "Announce online"
    ONLINE = "Online"
    OFFLINE = "Offline"


@dataclass(frozen=True, slots=True)
class Announced:
    """Its packet engine has been heard."""


@dataclass(frozen=True, slots=True)
class PortsKnown:
    """All its links are known."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It was not heard of in time."""


WAITING: Final = frozenset((FpcState.PRESENT, FpcState.ANNOUNCE_ONLINE))
"""States that must come to an end, one way or the other."""

TRANSITIONS: Final[Mapping[FpcState, Mapping[type[object], FpcState]]] = {
    FpcState.EMPTY: {},
    FpcState.PRESENT: {
        Announced: FpcState.ANNOUNCE_ONLINE,
        GivenUp: FpcState.OFFLINE,
    },
    FpcState.ANNOUNCE_ONLINE: {
        PortsKnown: FpcState.ONLINE,
        GivenUp: FpcState.OFFLINE,
    },
    # A packet engine that falls silent has crashed; its FPC is not gone, and its ports go on.
    FpcState.ONLINE: {},
    FpcState.OFFLINE: {Announced: FpcState.ANNOUNCE_ONLINE},
}

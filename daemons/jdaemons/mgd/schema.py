"""Which configuration statements there are: data, read by `tree` and `render`.

A block's members are leaves, blocks, or lists of blocks; a list's entries carry a key behind the
keyword (`unit 0`), or stand for themselves where the keyword is "*" (interface names).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of a kind; kind None is a flag without a value."""

    kind: str | None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Statements in braces. A `presence` block means something even when it is empty."""

    members: Mapping[str, Leaf | Block | Keyed]
    presence: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """Blocks of one keyword, told apart by a key of a kind, or by one of a few words."""

    kind: str | None
    block: Block
    words: Mapping[str, Block] | None = None


ANY: Final = "*"


def _family(kind: str) -> Block:
    return Block({"address": Leaf(kind, many=True)}, presence=True)


def _static(kind: str) -> Block:
    route = Block(
        {
            "next-hop": Leaf("gateway", many=True),
            "discard": Leaf(None),
            "reject": Leaf(None),
            "preference": Leaf("preference"),
        },
        presence=True,
    )
    return Block({"route": Keyed(kind, route)})


_UNIT: Final = Block(
    {
        "description": Leaf("text"),
        "disable": Leaf(None),
        "family": Keyed(
            None,
            Block({}),
            {"inet": _family("inet-address"), "inet6": _family("inet6-address")},
        ),
    },
    presence=True,
)

_INTERFACE: Final = Block(
    {
        "description": Leaf("text"),
        "disable": Leaf(None),
        "mtu": Leaf("mtu"),
        "unit": Keyed("unit", _UNIT),
    },
    presence=True,
)

SCHEMA: Final = Block(
    {
        "version": Leaf("text"),
        "system": Block({"host-name": Leaf("host-name")}),
        "interfaces": Block({ANY: Keyed("interface", _INTERFACE)}),
        "routing-options": Block(
            {
                "rib": Keyed(
                    None, Block({}), {"inet6.0": Block({"static": _static("inet6-prefix")})}
                ),
                "static": _static("inet-prefix"),
            }
        ),
    }
)

"""`show route` and `show route forwarding-table`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from jsupervisor.cli.render.values import Table, lines, rows, table, text
from jsupervisor.initproto import Json

_COLUMN: Final = 19
_INDEX: Final = 9
_FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {"inet": "Internet", "inet6": "Internet6", "mpls": "MPLS"}
)


def route(data: Json) -> str:
    """`route-information`."""
    tables = rows(table(data, "route-information"), "route-table")
    return "\n".join(lines(_table(each)) for each in tables)


def _table(each: Table) -> Iterator[str]:
    counts = ", ".join(
        f"{text(each, f'{kind}-route-count', '0')} {kind}"
        for kind in ("active", "holddown", "hidden")
    )
    yield (
        f"{text(each, 'table-name')}: {text(each, 'destination-count', '0')} destinations,"
        f" {text(each, 'total-route-count', '0')} routes ({counts})"
    )
    yield "+ = Active Route, - = Last Active, * = Both"
    yield ""
    for destination in rows(each, "rt"):
        yield from _destination(destination)


def _destination(destination: Table) -> Iterator[str]:
    """A destination that is too long for its column has a line of its own."""
    name = text(destination, "rt-destination")
    if len(name) >= _COLUMN:
        yield name
        name = ""
    for entry in rows(destination, "rt-entry"):
        yield f"{name:<{_COLUMN}}{_entry(entry)}"
        if "as-path" in entry:
            yield f"{'':<22}AS path: {text(entry, 'as-path')}"
        yield from _next_hops(entry)
        name = ""


def _entry(entry: Table) -> str:
    source = f"[{text(entry, 'protocol-name')}/{text(entry, 'preference')}]"
    parts = [f"{text(entry, 'active-tag', ' ')}{source} {text(entry, 'age')}"]
    for key, label in (
        ("metric", "metric"),
        ("local-preference", "localpref"),
        ("learned-from", "from"),
    ):
        if key in entry:
            parts.append(f"{label} {text(entry, key)}")
    return ", ".join(parts)


def _next_hops(entry: Table) -> Iterator[str]:
    hops = rows(entry, "nh")
    for hop in hops:
        if "nh-local-interface" in hop:
            yield f"{'':<23}Local via {text(hop, 'nh-local-interface')}"
            continue
        mark = ">" if "selected-next-hop" in hop else " "
        to = f"to {text(hop, 'to')} " if "to" in hop else ""
        yield f"{'':<20}{mark}  {to}via {text(hop, 'via')}"
    if not hops and "nh-type" in entry:
        yield f"{'':<23}{text(entry, 'nh-type')}"


def forwarding_table(data: Json) -> str:
    """`forwarding-table-information`."""
    tables = rows(table(data, "forwarding-table-information"), "route-table")
    return "\n".join(lines(_forwarding(each)) for each in tables)


def _forwarding(each: Table) -> Iterator[str]:
    family = text(each, "address-family")
    yield f"Routing table: {text(each, 'table-name')}"
    yield f"{_FAMILIES.get(family, family)}:"
    if "enabled-protocols" in each:
        yield f"Enabled protocols: {text(each, 'enabled-protocols')}"
    entries = rows(each, "rt-entry")
    width = _width((text(entry, "rt-destination") for entry in entries), _COLUMN)
    next_hops = [next_hop for entry in entries for next_hop in rows(entry, "nh")]
    hop = _width((text(next_hop, "to") for next_hop in next_hops), _COLUMN)
    index = _width((text(next_hop, "nh-index") for next_hop in next_hops), _INDEX)
    yield f"{'Destination':<{width}}Type RtRef {'Next hop':<{hop}}Type {'Index':<{index}}NhRef Netif"
    for entry in entries:
        head = (
            f"{text(entry, 'rt-destination'):<{width}}{text(entry, 'destination-type'):<4}"
            f"{text(entry, 'route-reference-count', '0'):>6} "
        )
        for next_hop in rows(entry, "nh") or [{}]:
            yield head + _forwarding_hop(next_hop, hop, index)
            head = " " * len(head)


def _width(cells: Iterable[str], least: int) -> int:
    """Of a column: as Junos has it, or wider where a cell needs it."""
    return max([least, *(len(cell) + 1 for cell in cells)])


def _forwarding_hop(next_hop: Table, width: int, index: int) -> str:
    return (
        f"{text(next_hop, 'to'):<{width}}{text(next_hop, 'nh-type'):<4}"
        f"{text(next_hop, 'nh-index'):>{index}}{text(next_hop, 'nh-reference-count'):>6}"
        f" {text(next_hop, 'via')}"
    )

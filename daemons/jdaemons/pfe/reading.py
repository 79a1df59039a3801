"""What pfectl reads in the engine's memory: links and counters, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from jdaemons.pfe.segment import FABRIC_ROW, Drop, Segment
from jdaemons.pfe.wire import Counters, Link

ENGINE: Final = "engine"
"""The key under which the engine's own counters are published: sums over all ports."""


class Reading:
    """The engine's rows by the names of its ports."""

    def __init__(self, segment: Segment, names: Sequence[str], specs: Mapping[str, str]) -> None:
        """`names` are all ports of the FPC; those in `specs` are joined to something."""
        self._segment = segment
        self._names = names
        self._specs = specs

    def _rows(self) -> dict[str, int]:
        links = self._segment.links
        used = np.nonzero(links["used"])[0].tolist()
        return {links["name"][row].decode(): row for row in used}

    def links(self) -> list[Link]:
        """Every port of the FPC; one that the engine does not know (yet) is down."""
        rows = self._rows()
        return [self._link(name, rows.get(name)) for name in self._names]

    def _link(self, name: str, row: int | None) -> Link:
        spec = self._specs.get(name, "")
        if row is None or not spec:
            return Link(name=name, spec=spec)
        links = self._segment.links
        error = links["error"][row].decode(errors="replace")
        return Link(name=name, spec=spec, up=bool(links["up"][row]) and not error, error=error)

    def counters(self) -> dict[str, Counters]:
        """Of each joined port, and of the engine."""
        links = self._segment.links
        rows = {name: row for name, row in self._rows().items() if name in self._specs}
        found = {name: self._port(row) for name, row in rows.items()}
        total = self._segment.drops[[*rows.values(), FABRIC_ROW]].sum(axis=0)
        every = list(rows.values())
        found[ENGINE] = Counters(
            input_packets=int(links["input_packets"][every].sum()),
            input_bytes=int(links["input_bytes"][every].sum()),
            output_packets=int(links["output_packets"][every].sum()),
            output_bytes=int(links["output_bytes"][every].sum()),
            drops={each.label: int(total[each]) for each in Drop if total[each]},
        )
        return found

    def _port(self, row: int) -> Counters:
        record, drops = self._segment.links[row], self._segment.drops[row]
        return Counters(
            input_packets=int(record["input_packets"]),
            input_bytes=int(record["input_bytes"]),
            output_packets=int(record["output_packets"]),
            output_bytes=int(record["output_bytes"]),
            drops={each.label: int(drops[each]) for each in Drop if drops[each]},
        )

"""What pfectl reads in the engine's memory."""

from __future__ import annotations

import os

from jdaemons.pfe.reading import ENGINE, Reading
from jdaemons.pfe.segment import FABRIC_ROW, Drop, Segment
from jdaemons.pfe.wire import Counters, Link

NAMES = ["ge-0/0/0", "ge-0/0/1", "ge-0/0/2"]
SPECS = {"ge-0/0/0": "unix:/a", "ge-0/0/1": "unix:/b"}


def segment() -> Segment:
    fd = os.memfd_create("state")
    try:
        return Segment(fd, writable=True)
    finally:
        os.close(fd)


def test_ports_are_down_until_the_engine_says_otherwise() -> None:
    reading = Reading(segment(), NAMES, SPECS)

    assert [
        Link(name="ge-0/0/0", spec="unix:/a"),
        Link(name="ge-0/0/1", spec="unix:/b"),
        Link(name="ge-0/0/2"),
    ] == reading.links()
    assert {ENGINE: Counters(drops={})} == reading.counters()


def test_links_and_counters_are_read_by_name() -> None:
    memory = segment()
    for row, name in enumerate(SPECS):
        memory.links["name"][row] = name.encode()
        memory.links["used"][row] = 1
        memory.links["up"][row] = 1
        memory.links["input_packets"][row] = 10 + row
        memory.links["output_bytes"][row] = 100
    memory.links["error"][1] = b"cannot open it"
    memory.drops[0, Drop.RUNT] = 3
    memory.drops[FABRIC_ROW, Drop.RUNT] = 4
    reading = Reading(memory, NAMES, SPECS)
    links = [(link.up, link.error) for link in reading.links()]

    assert [(True, ""), (False, "cannot open it"), (False, "")] == links
    assert {
        "ge-0/0/0": Counters(input_packets=10, output_bytes=100, drops={"runt": 3}),
        "ge-0/0/1": Counters(input_packets=11, output_bytes=100, drops={}),
        ENGINE: Counters(input_packets=21, output_bytes=200, drops={"runt": 7}),
    } == reading.counters()

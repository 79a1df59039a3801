"""Is the chassis section of a profile sound? Daemons pass over what they cannot use; this complains.

Pure: a section in, PlanError out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.reader import Section
from jsupervisor.runtime.chassis import SPEEDS

MEDIA: Final = ("fe", "ge", "xe", "et")
MOST_PORTS: Final = 256
MOST_SLOT: Final = 99
MOST_SLOTS: Final = 32
"""FPC slots, PICs of an FPC and ports of a PIC: what an interface's index has room for."""
MOST_PICS: Final = 4
MOST_PIC_PORTS: Final = 128
_SERIAL: Final = re.compile(r"[A-Z0-9]{0,8}")
_MODULE: Final = ("version", "part_number", "serial_number", "description")


def check_chassis(source: str, chassis: Mapping[str, Json]) -> int:
    """How many ports the chassis has; raises PlanError for the first thing that is wrong."""
    top = Section(source, "chassis", chassis)
    top.string("model")
    top.string("description", "")
    if not _SERIAL.fullmatch(prefix := top.string("serial_prefix", "")):
        raise top.error("serial_prefix", f"{prefix!r} is not up to 8 capitals and digits")
    for engine in _slots(top, "routing_engine"):
        engine.string("model", "")
        _module(engine)
    for board in _slots(top, "cb"):
        _module(board)
    slots = top.count("fpc_slots", 0, least=0)
    if slots > MOST_SLOTS:
        raise top.error("fpc_slots", f"{slots} are more than {MOST_SLOTS}")
    ports = sum(_fpc(fpc, slots or MOST_SLOTS) for fpc in _slots(top, "fpc"))
    top.done()
    return ports


def _fpc(section: Section, slots: int) -> int:
    slot = section.count("slot", -1, least=0, most=MOST_SLOT)
    if slot >= slots:
        raise section.error("slot", f"there is no slot {slot}: {slots - 1} is the last")
    section.count("memory_mb", 0, least=0, most=1 << 24)
    cpu = section.section("cpu", optional=True)
    _module(cpu)
    mics = {mic.count("slot", -1, least=0) for mic in _mics(section)}
    ports = sum(_pic(pic, mics) for pic in _slots(section, "pic"))
    _module(section)
    if ports > MOST_PORTS:
        raise section.error("pic", f"{ports} ports are more than the {MOST_PORTS} of an engine")
    return ports


def _mics(section: Section) -> Iterator[Section]:
    for mic in _slots(section, "mic"):
        _module(mic)
        yield mic


def _pic(section: Section, mics: set[int]) -> int:
    mic = section.count("mic", -1, least=-1)
    if mic >= 0 and mic not in mics:
        raise section.error("mic", f"there is no MIC {mic} in this FPC")
    slot = section.count("slot", -1, least=0, most=MOST_SLOT)
    if slot >= MOST_PICS:
        raise section.error("slot", f"there is no PIC {slot}: {MOST_PICS - 1} is the last")
    section.choice("media", MEDIA, "ge")
    speed = section.string("speed", "")
    if speed and speed not in SPEEDS:
        raise section.error("speed", f"{speed!r} is not a speed, e.g. 1g, 10g, 100g")
    ports = section.count("ports", 0, least=0, most=MOST_PORTS)
    if ports > MOST_PIC_PORTS:
        raise section.error("ports", f"{ports} ports are more than the {MOST_PIC_PORTS} of a PIC")
    _module(section)
    return ports


def _module(section: Section) -> None:
    for key in _MODULE:
        section.string(key, "")
    section.done()


def _slots(parent: Section, key: str) -> Iterator[Section]:
    """The tables [[KEY]], each with a slot number of its own."""
    taken: set[int] = set()
    for section in parent.sections(key):
        slot = section.count("slot", -1, least=0, most=MOST_SLOT)
        if slot in taken:
            raise section.error("slot", f"slot {slot} is taken already")
        taken.add(slot)
        yield section

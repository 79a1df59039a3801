"""`show chassis hardware` and `show chassis fpc` as data, in the element names of Junos' XML.

Everything that names hardware comes from the profile. What real hardware would measure and we cannot
(temperatures) is given as vMX gives it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from jdaemons.chassisd.fpc import FpcState
from jsupervisor.initproto import Json
from jsupervisor.runtime.chassis import Slot, slots


def serial_number(instance: str, prefix: str) -> str:
    """The chassis' serial number: the same at every boot of an instance."""
    return prefix + hashlib.sha256(instance.encode()).hexdigest()[:10].upper()


def chassis_inventory(chassis: Mapping[str, Json], instance: str) -> Json:
    """`chassis-inventory`: the chassis, its modules, their sub-modules."""
    modules: list[Json] = [{"name": "Midplane"}]
    for engine in slots(chassis, "routing_engine"):
        name = f"Routing Engine {engine.number}"
        modules.append(_module(name, engine, description=engine.text("model")))
    modules += [_module(f"CB {cb.number}", cb) for cb in slots(chassis, "cb")]
    modules += [_fpc(fpc) for fpc in slots(chassis, "fpc")]
    return {
        "chassis-inventory": {
            "chassis": {
                "name": "Chassis",
                "serial-number": serial_number(instance, _text(chassis, "serial_prefix")),
                "description": _text(chassis, "description"),
                "chassis-module": modules,
            }
        }
    }


def _fpc(fpc: Slot) -> Json:
    parts: list[Json] = []
    cpu = fpc.table.get("cpu")
    if isinstance(cpu, Mapping):
        parts.append(_module("CPU", Slot(0, cpu)))
    pics = slots(fpc.table, "pic")
    mics = slots(fpc.table, "mic")
    for mic in mics:
        inside: list[Json] = [_pic(pic) for pic in pics if pic.table.get("mic") == mic.number]
        module = _module(f"MIC {mic.number}", mic)
        parts.append({**module, "chassis-sub-sub-module": inside} if inside else module)
    numbers = {mic.number for mic in mics}
    parts += [_pic(pic) for pic in pics if pic.table.get("mic") not in numbers]
    return {**_module(f"FPC {fpc.number}", fpc), "chassis-sub-module": parts}


def _pic(pic: Slot) -> Json:
    return _module(f"PIC {pic.number}", pic)


def _module(name: str, slot: Slot, description: str = "") -> dict[str, Json]:
    return {
        "name": name,
        "version": slot.text("version"),
        "part-number": slot.text("part_number"),
        "serial-number": slot.text("serial_number"),
        "description": description or slot.text("description"),
    }


def fpc_information(chassis: Mapping[str, Json], states: Mapping[int, FpcState]) -> Json:
    """`fpc-information`: every slot, the empty ones too."""
    memory = {fpc.number: fpc.table.get("memory_mb") for fpc in slots(chassis, "fpc")}
    rows: list[Json] = []
    for slot in sorted(states):
        row: dict[str, Json] = {"slot": str(slot), "state": states[slot].value}
        if states[slot] is FpcState.ONLINE:
            size = memory.get(slot)
            row["temperature"] = "Testing"
            row["memory-dram-size"] = str(size) if isinstance(size, int) else ""
        rows.append(row)
    return {"fpc-information": {"fpc": rows}}


def _text(table: Mapping[str, Json], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""

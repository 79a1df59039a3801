"""`show chassis hardware` and `show chassis fpc` as data."""

from __future__ import annotations

import re
import tomllib

import pytest

from jchassis import profile_names, profile_path
from jdaemons.chassisd.fpc import FpcState
from jdaemons.chassisd.show import chassis_inventory, fpc_information, serial_number
from jsupervisor.initproto import Json
from jsupervisor.runtime.chassis import slots


def chassis_of(profile: str) -> dict[str, Json]:
    chassis: dict[str, Json] = tomllib.loads(profile_path(profile).read_text())["chassis"]
    return chassis


def item(name: str, description: str = "", **values: str) -> dict[str, Json]:
    fields = {"version": "", "part-number": "", "serial-number": "", **values}
    return {"name": name, **fields, "description": description}


def test_the_inventory_of_vmx_is_that_of_a_vmx() -> None:
    builtin = {"part-number": "BUILTIN", "serial-number": "BUILTIN"}
    cpu = {"version": "Rev. 1.0", "part-number": "RIOT-LITE", "serial-number": "BUILTIN"}

    assert {
        "chassis-inventory": {
            "chassis": {
                "name": "Chassis",
                "serial-number": serial_number("lab", "VM"),
                "description": "VMX",
                "chassis-module": [
                    {"name": "Midplane"},
                    item("Routing Engine 0", "RE-VMX"),
                    item("CB 0", "VMX SCB"),
                    {
                        **item("FPC 0", "Virtual FPC"),
                        "chassis-sub-module": [
                            item("CPU", **cpu),
                            {
                                **item("MIC 0", "Virtual"),
                                "chassis-sub-sub-module": [item("PIC 0", "Virtual", **builtin)],
                            },
                        ],
                    },
                ],
            }
        }
    } == chassis_inventory(chassis_of("vmx"), "lab")


def test_pics_without_a_mic_stand_in_the_fpc_itself() -> None:
    chassis: dict[str, Json] = {
        "fpc": [{"slot": 1, "pic": [{"slot": 0}, {"slot": 1, "mic": 7}], "mic": [{"slot": 0}]}]
    }
    text = str(chassis_inventory(chassis, "lab"))

    assert ["FPC 1", "MIC 0", "PIC 0", "PIC 1"] == re.findall(r"(?:FPC|MIC|PIC) \d", text)
    assert "chassis-sub-sub-module" not in text


def test_a_serial_number_is_the_same_at_every_boot_and_another_for_another_instance() -> None:
    assert re.fullmatch("VM[0-9A-F]{10}", serial_number("a", "VM"))
    assert serial_number("a", "VM") == serial_number("a", "VM")
    assert serial_number("a", "VM") != serial_number("b", "VM")


def test_every_slot_is_listed_and_only_an_fpc_that_is_online_has_figures() -> None:
    states = {
        1: FpcState.ONLINE,
        2: FpcState.OFFLINE,
        0: FpcState.EMPTY,
    }

    assert {
        "fpc-information": {
            "fpc": [
                {"slot": "0", "state": "Empty"},
                {
                    "slot": "1",
                    "state": "Online",
                    "temperature": "Testing",
                    "memory-dram-size": "2048",
                },
                {"slot": "2", "state": "Offline"},
            ]
        }
    } == fpc_information(chassis_of("mx240"), states)


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_gives_an_inventory_of_everything_it_lists(profile: str) -> None:
    chassis = chassis_of(profile)
    text = str(chassis_inventory(chassis, "lab"))

    for kind, name in (("routing_engine", "Routing Engine"), ("cb", "CB"), ("fpc", "FPC")):
        for slot in slots(chassis, kind):
            assert f"'{name} {slot.number}'" in text


@pytest.mark.parametrize(
    "chassis", [{}, {"fpc": 7}, {"fpc": [{"slot": "x"}, {"slot": 0, "cpu": 3, "pic": {}}]}]
)
def test_a_chassis_of_nonsense_has_an_inventory_all_the_same(chassis: dict[str, Json]) -> None:
    states = {fpc.number: FpcState.ONLINE for fpc in slots(chassis, "fpc")}

    assert chassis_inventory(chassis, "lab")
    assert fpc_information(chassis, states)

"""Layouts of `show chassis hardware` and `show chassis fpc` (reference: junos.md 3.3)."""

from __future__ import annotations

from jsupervisor.cli.render.chassis import fpc, hardware
from jsupervisor.initproto import Json


def test_hardware() -> None:
    data: Json = {
        "chassis-inventory": {
            "chassis": {
                "name": "Chassis",
                "serial-number": "VM5D4C6B3599",
                "description": "VMX",
                "chassis-module": [
                    {"name": "Midplane"},
                    {"name": "Routing Engine 0", "description": "RE-VMX"},
                    {
                        "name": "FPC 0",
                        "description": "Virtual FPC",
                        "chassis-sub-module": [
                            {
                                "name": "CPU",
                                "version": "Rev. 1.0",
                                "part-number": "RIOT-LITE",
                                "serial-number": "BUILTIN",
                            },
                            {
                                "name": "MIC 0",
                                "description": "Virtual",
                                "chassis-sub-sub-module": {
                                    "name": "PIC 0",
                                    "part-number": "BUILTIN",
                                    "serial-number": "BUILTIN",
                                    "description": "Virtual",
                                },
                            },
                        ],
                    },
                ],
            }
        }
    }

    assert hardware(data) == (
        "Hardware inventory:\n"
        "Item             Version  Part number  Serial number     Description\n"
        "Chassis                                VM5D4C6B3599      VMX\n"
        "Midplane\n"
        "Routing Engine 0                                         RE-VMX\n"
        "FPC 0                                                    Virtual FPC\n"
        "  CPU            Rev. 1.0 RIOT-LITE    BUILTIN\n"
        "  MIC 0                                                  Virtual\n"
        "    PIC 0                 BUILTIN      BUILTIN           Virtual\n"
    )


def test_fpc() -> None:
    data: Json = {
        "fpc-information": {
            "fpc": [
                {
                    "slot": "0",
                    "state": "Online",
                    "temperature": "Testing",
                    "cpu-total": "3",
                    "cpu-interrupt": "0",
                    "cpu-1min-avg": "2",
                    "cpu-5min-avg": "2",
                    "cpu-15min-avg": "2",
                    "memory-dram-size": "511",
                    "memory-heap-utilization": "31",
                    "memory-buffer-utilization": "0",
                },
                {"slot": "1", "state": "Empty"},
            ]
        }
    }

    assert fpc(data) == (
        "                     Temp  CPU Utilization (%)   CPU Utilization (%)"
        "  Memory    Utilization (%)\n"
        "Slot State            (C)  Total  Interrupt      1min   5min   15min"
        "  DRAM (MB) Heap     Buffer\n"
        "  0  Online           Testing   3         0        2      2      2"
        "    511        31          0\n"
        "  1  Empty\n"
    )

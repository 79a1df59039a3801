"""Layout of `show interfaces terse` (reference: junos.md 3.3)."""

from __future__ import annotations

from jsupervisor.cli.render.interfaces import terse
from jsupervisor.initproto import Json


def up(name: str, oper: str = "up", key: str = "", value: Json = None) -> Json:
    more = {key: value} if key else {}
    return {"name": name, "admin-status": "up", "oper-status": oper, **more}


def family(name: str, *addresses: Json) -> Json:
    return {"address-family-name": name, "interface-address": list(addresses)}


def test_terse() -> None:
    inet = family("inet", {"ifa-local": "192.0.2.1/24"})
    ge = up("ge-0/0/0.0", "up", "address-family", [inet, {"address-family-name": "multiservice"}])
    em = up(
        *("em1.0", "up", "address-family"),
        value=[
            family("inet", {"ifa-local": "10.0.0.4/8"}, {"ifa-local": "128.0.0.1/2"}),
            family("inet6", {"ifa-local": "fe80::250:56ff:fe82:ba52/64"}),
        ],
    )
    loopback = family("inet", {"ifa-local": "203.0.113.1", "ifa-destination": "0/0"})
    lo = up("lo0.0", "up", "address-family", loopback)
    data: Json = {
        "interface-information": {
            "physical-interface": [
                up("ge-0/0/0", key="logical-interface", value=[ge]),
                up("ge-0/0/1", "down"),
                up("em1", key="logical-interface", value=[em]),
                up("lo0", key="logical-interface", value=[lo, up("lo0.1")]),
            ]
        }
    }

    assert terse(data) == (
        "Interface               Admin Link Proto    Local                 Remote\n"
        "ge-0/0/0                up    up\n"
        "ge-0/0/0.0              up    up   inet     192.0.2.1/24\n"
        "                                   multiservice\n"
        "ge-0/0/1                up    down\n"
        "em1                     up    up\n"
        "em1.0                   up    up   inet     10.0.0.4/8\n"
        "                                            128.0.0.1/2\n"
        "                                   inet6    fe80::250:56ff:fe82:ba52/64\n"
        "lo0                     up    up\n"
        "lo0.0                   up    up   inet     203.0.113.1         --> 0/0\n"
        "lo0.1                   up    up\n"
    )

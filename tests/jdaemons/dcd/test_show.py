"""`show interfaces terse` as data."""

from __future__ import annotations

from jdaemons.dcd.core import Core
from jdaemons.dcd.events import Address, ConfigChanged, InterfaceConfig, Port, PortsChanged, Unit
from jdaemons.dcd.show import interface_information

MAC = bytes.fromhex("02aabbccddee")


def a_port(name: str, *, link_up: bool = True) -> Port:
    return Port(name=name, fpc=0, mac=MAC, mtu=1514, link_up=link_up, pfe_port=0)


def core_with(ports: list[Port], configs: list[InterfaceConfig]) -> Core:
    core = Core()
    core.handle(PortsChanged(upserts={port.name: port for port in ports}))
    core.handle(ConfigChanged(upserts={config.name: config for config in configs}))
    return core


def test_an_empty_router_has_its_loopback() -> None:
    lo0 = {"name": "lo0", "admin-status": "up", "oper-status": "up"}

    assert {"interface-information": {"physical-interface": [lo0]}} == interface_information(Core())


def test_ports_and_loopback_with_their_addresses() -> None:
    inet = (Address(bytes((192, 0, 2, 1)), 24),)
    core = core_with(
        [a_port("ge-0/0/10"), a_port("ge-0/0/2", link_up=False)],
        [
            InterfaceConfig(
                name="ge-0/0/2",
                description="to r2",
                units=(Unit(number=0, inet=inet, inet6=()),),
            ),
            InterfaceConfig(name="ge-0/0/3", units=(Unit(number=0, inet=inet),)),
            InterfaceConfig(
                name="lo0",
                units=(
                    Unit(
                        number=0,
                        inet=(Address(bytes((203, 0, 113, 1)), 32),),
                        inet6=(Address(bytes(15) + b"\x01", 128),),
                    ),
                ),
            ),
        ],
    )

    assert {
        "interface-information": {
            "physical-interface": [
                {
                    "name": "ge-0/0/2",
                    "admin-status": "up",
                    "oper-status": "down",
                    "description": "to r2",
                    "logical-interface": [
                        {
                            "name": "ge-0/0/2.0",
                            "admin-status": "up",
                            "oper-status": "down",
                            "address-family": [
                                {
                                    "address-family-name": "inet",
                                    "interface-address": [{"ifa-local": "192.0.2.1/24"}],
                                },
                                {
                                    "address-family-name": "inet6",
                                    "interface-address": [
                                        {"ifa-local": "fe80::aa:bbff:fecc:ddee/64"}
                                    ],
                                },
                            ],
                        }
                    ],
                },
                {"name": "ge-0/0/10", "admin-status": "up", "oper-status": "up"},
                {
                    "name": "lo0",
                    "admin-status": "up",
                    "oper-status": "up",
                    "logical-interface": [
                        {
                            "name": "lo0.0",
                            "admin-status": "up",
                            "oper-status": "up",
                            "address-family": [
                                {
                                    "address-family-name": "inet",
                                    "interface-address": [
                                        {"ifa-local": "203.0.113.1", "ifa-destination": "0/0"}
                                    ],
                                },
                                {
                                    "address-family-name": "inet6",
                                    "interface-address": [{"ifa-local": "::1"}],
                                },
                            ],
                        }
                    ],
                },
            ]
        }
    } == interface_information(core)


def test_below_a_disabled_interface_a_unit_is_up_without_link() -> None:
    config = InterfaceConfig(
        name="ge-0/0/0", disabled=True, units=(Unit(number=0), Unit(number=1, disabled=True))
    )
    core = core_with([a_port("ge-0/0/0")], [config])

    assert {
        "interface-information": {
            "physical-interface": [
                {
                    "name": "ge-0/0/0",
                    "admin-status": "down",
                    "oper-status": "down",
                    "logical-interface": [
                        {"name": "ge-0/0/0.0", "admin-status": "up", "oper-status": "down"},
                        {"name": "ge-0/0/0.1", "admin-status": "down", "oper-status": "down"},
                    ],
                },
                {"name": "lo0", "admin-status": "up", "oper-status": "up"},
            ]
        }
    } == interface_information(core)


def test_a_port_of_an_unknown_kind_is_listed_first() -> None:
    core = core_with([a_port("zz9"), a_port("ge-0/0/0")], [])
    shown = interface_information(core)

    assert isinstance(shown, dict)
    assert ["zz9", "ge-0/0/0", "lo0"] == [
        item["name"] for item in shown["interface-information"]["physical-interface"]
    ]

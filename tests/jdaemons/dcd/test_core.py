"""What logical interfaces follow from configuration and ports, and that nothing else matters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.dcd.core import Core, link_local
from jdaemons.dcd.events import (
    Address,
    Command,
    ConfigChanged,
    Event,
    InterfaceConfig,
    LinkChanged,
    LogicalInterface,
    Port,
    PortsChanged,
    Publish,
    Synced,
    Unit,
    Withdraw,
)

GE = "ge-0/0/0"
MAC = bytes.fromhex("02aabbccddee")
V4 = Address(bytes((192, 0, 2, 1)), 24)
V6 = Address(bytes.fromhex("20010db8000000000000000000000001"), 64)
LINK_LOCAL = Address(bytes.fromhex("fe8000000000000000aabbfffeccddee"), 64)


def a_port(name: str = GE, **changes: object) -> Port:
    port = Port(name=name, fpc=0, mac=MAC, mtu=1514, link_up=True, pfe_port=3)
    return replace(port, **changes)  # type: ignore[arg-type]


def a_config(name: str = GE, *units: Unit, **changes: object) -> InterfaceConfig:
    config = InterfaceConfig(name=name, units=units or (Unit(number=0, inet=(V4,)),))
    return replace(config, **changes)  # type: ignore[arg-type]


def configured(*configs: InterfaceConfig) -> ConfigChanged:
    return ConfigChanged(upserts={config.name: config for config in configs})


def there(*ports: Port) -> PortsChanged:
    return PortsChanged(upserts={port.name: port for port in ports})


def run(*events: Event) -> tuple[Core, list[Command]]:
    core = Core()
    return core, [command for event in events for command in core.handle(event)]


def published(core: Core) -> dict[str, LogicalInterface]:
    return {name: item for items in core.published.values() for name, item in items.items()}


def the_interface(core: Core, name: str = f"{GE}.0") -> LogicalInterface:
    return published(core)[name]


def test_nothing_is_said_before_both_inputs_are_known() -> None:
    _, commands = run(there(a_port()), configured(a_config()))

    assert [] == commands


def test_a_configured_interface_with_hardware_is_published() -> None:
    core, commands = run(there(a_port()), configured(a_config()), Synced())
    interface = the_interface(core)

    assert [Publish(interface)] == commands
    assert (f"{GE}.0", GE, 0, 0, 3, MAC, 1514, (V4,)) == (
        interface.name,
        interface.physical,
        interface.unit,
        interface.fpc,
        interface.pfe_port,
        interface.mac,
        interface.mtu,
        interface.addresses,
    )
    assert interface.admin_up
    assert interface.oper_up


def test_a_configured_interface_without_hardware_does_not_exist() -> None:
    core, commands = run(configured(a_config()), Synced())

    assert [] == commands
    assert {} == published(core)


def test_hardware_without_configuration_is_not_a_logical_interface() -> None:
    _, commands = run(there(a_port()), Synced())

    assert [] == commands


@pytest.mark.parametrize(
    ("link", "physical", "unit", "admin", "oper"),
    [
        (True, False, False, True, True),
        (False, False, False, True, False),
        (True, True, False, False, False),
        (True, False, True, False, False),
        (False, True, True, False, False),
    ],
)
def test_up_is_what_nobody_disabled_and_has_a_link(
    link: bool, physical: bool, unit: bool, admin: bool, oper: bool
) -> None:
    config = a_config(GE, Unit(number=0, disabled=unit), disabled=physical)
    core, _ = run(there(a_port(link_up=link)), configured(config), Synced())
    interface = the_interface(core)

    assert (admin, oper) == (interface.admin_up, interface.oper_up)


def test_the_loopback_needs_no_hardware() -> None:
    address = Address(bytes((203, 0, 113, 1)), 32)
    core, _ = run(configured(a_config("lo0", Unit(number=0, inet=(address,), inet6=()))), Synced())
    interface = the_interface(core, "lo0.0")

    assert interface.oper_up
    assert (address,) == interface.addresses
    assert 65535 == interface.mtu


def test_an_ipv6_interface_has_a_link_local_address_after_its_own() -> None:
    core, _ = run(there(a_port()), configured(a_config(GE, Unit(number=0, inet6=(V6,)))), Synced())

    assert (V6, LINK_LOCAL) == the_interface(core).addresses


def test_family_inet6_alone_is_enough_for_a_link_local_address() -> None:
    core, _ = run(there(a_port()), configured(a_config(GE, Unit(number=0, inet6=()))), Synced())

    assert (LINK_LOCAL,) == the_interface(core).addresses


def test_a_configured_link_local_address_takes_the_place_of_the_derived_one() -> None:
    own = Address(bytes.fromhex("fe800000000000000000000000000001"), 64)
    core, _ = run(there(a_port()), configured(a_config(GE, Unit(number=0, inet6=(own,)))), Synced())

    assert (own,) == the_interface(core).addresses


def test_the_example_of_rfc_2464_section_4() -> None:
    mac = bytes.fromhex("3456789abcde")

    assert "fe80::3656:78ff:fe9a:bcde/64" == str(link_local(mac))


def test_a_link_that_goes_is_said_once() -> None:
    core, _ = run(there(a_port()), configured(a_config()), Synced())
    down = core.handle(there(a_port(link_up=False)))
    again = core.handle(there(a_port(link_up=False)))

    assert [Publish(the_interface(core)), LinkChanged(f"{GE}.0", False)] == down
    assert [] == again


def test_a_port_that_goes_takes_its_interfaces_along() -> None:
    two = a_config(GE, Unit(number=0), Unit(number=7))
    core, _ = run(there(a_port()), configured(two), Synced())
    commands = core.handle(PortsChanged(upserts={}, removed=frozenset((GE,))))

    assert [Withdraw(f"{GE}.0"), Withdraw(f"{GE}.7")] == commands


def test_a_unit_that_is_configured_no_more_goes_alone() -> None:
    core, _ = run(
        there(a_port()), configured(a_config(GE, Unit(number=0), Unit(number=7))), Synced()
    )
    commands = core.handle(configured(a_config(GE, Unit(number=7))))

    assert [Withdraw(f"{GE}.0")] == commands


def test_removed_configuration_withdraws_and_restored_has_the_same_index() -> None:
    core, _ = run(there(a_port()), configured(a_config()), Synced())
    before = the_interface(core)
    gone = core.handle(ConfigChanged(upserts={}, removed=frozenset((GE,))))
    back = core.handle(configured(a_config()))

    assert [Withdraw(f"{GE}.0")] == gone
    assert [Publish(before)] == back


def test_a_change_of_one_interface_says_nothing_of_another() -> None:
    other = "ge-0/0/1"
    core, _ = run(there(a_port(), a_port(other)), configured(a_config(), a_config(other)), Synced())
    commands = core.handle(configured(a_config(other, mtu=9000)))

    assert [Publish(the_interface(core, f"{other}.0"))] == commands


physical = st.sampled_from(("ge-0/0/0", "ge-0/0/1", "ge-1/0/0", "lo0"))
ports = st.builds(a_port, physical.filter(lambda n: n != "lo0"), link_up=st.booleans())
configs = st.builds(
    lambda name, numbers, disabled: a_config(
        name, *(Unit(number=n, inet=(V4,), inet6=(V6,)) for n in sorted(numbers)), disabled=disabled
    ),
    physical,
    st.sets(st.integers(0, 3), min_size=1),
    st.booleans(),
)
events = st.one_of(
    st.builds(there, ports),
    st.builds(configured, configs),
    st.builds(lambda n: PortsChanged(upserts={}, removed=frozenset((n,))), physical),
    st.builds(lambda n: ConfigChanged(upserts={}, removed=frozenset((n,))), physical),
)


@given(st.lists(events), st.integers(0, 20))
def test_what_is_published_depends_on_the_inputs_and_not_on_their_history(
    history: list[Event], synced_at: int
) -> None:
    core = Core()
    heard: dict[str, LogicalInterface] = {}
    for event in (*history[:synced_at], Synced(), *history[synced_at:]):
        for command in core.handle(event):
            match command:
                case Publish(interface):
                    heard[interface.name] = interface
                case Withdraw(name):
                    del heard[name]
                case LinkChanged(name, up):
                    assert up == heard[name].oper_up
    successor, _ = run(configured(*core.configs.values()), there(*core.ports.values()), Synced())

    assert published(core) == heard
    assert published(successor) == heard

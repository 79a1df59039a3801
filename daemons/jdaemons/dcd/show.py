"""Operational data of dcd: `interface-information` in its terse form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jdaemons.dcd.core import Core, inet6_addresses
from jdaemons.dcd.events import Address, InterfaceConfig, Port, Unit
from jdaemons.dcd.names import LOOPBACK, InterfaceNameError, Place, place_of
from jsupervisor.initproto import Json


def interface_information(core: Core) -> Json:
    """Every physical interface that exists, in Junos' order, with its logical ones.

    An interface that is configured but has no hardware is not listed, as on Junos.
    """
    names = sorted((*core.ports, LOOPBACK), key=_order)
    physical = [_physical(name, core.configs.get(name), core.ports.get(name)) for name in names]
    return {"interface-information": {"physical-interface": physical}}


def _order(name: str) -> tuple[Place, str]:
    try:
        return place_of(name), name
    except InterfaceNameError:
        return Place(0, 0, 0, 0), name


def _physical(name: str, config: InterfaceConfig | None, port: Port | None) -> Mapping[str, Json]:
    admin = config is None or not config.disabled
    link = admin and (port is None or port.link_up)
    shown: dict[str, Json] = {
        "name": name,
        "admin-status": _status(admin),
        "oper-status": _status(link),
    }
    if config is None:
        return shown
    if config.description:
        shown["description"] = config.description
    if config.units:
        shown["logical-interface"] = [_logical(name, unit, port, link) for unit in config.units]
    return shown


def _logical(physical: str, unit: Unit, port: Port | None, link: bool) -> Mapping[str, Json]:
    """Admin is the unit's own: below a disabled interface Junos shows units up and without link."""
    shown: dict[str, Json] = {
        "name": f"{physical}.{unit.number}",
        "admin-status": _status(not unit.disabled),
        "oper-status": _status(link and not unit.disabled),
    }
    families = list(_families(unit, port))
    if families:
        shown["address-family"] = families
    return shown


def _families(unit: Unit, port: Port | None) -> Iterator[Mapping[str, Json]]:
    for name, addresses in (
        ("inet", unit.inet),
        ("inet6", None if unit.inet6 is None else inet6_addresses(unit, port)),
    ):
        if addresses is None:
            continue
        family: dict[str, Json] = {"address-family-name": name}
        if addresses:
            family["interface-address"] = [_address(address, port) for address in addresses]
        yield family


def _address(address: Address, port: Port | None) -> Mapping[str, Json]:
    """The loopback's addresses stand without a length and, for IPv4, with the peer 0/0."""
    text = str(address)
    if port is not None:
        return {"ifa-local": text}
    text = text.removesuffix("/32").removesuffix("/128")
    return {"ifa-local": text, "ifa-destination": "0/0"} if "." in text else {"ifa-local": text}


def _status(up: bool) -> str:
    return "up" if up else "down"

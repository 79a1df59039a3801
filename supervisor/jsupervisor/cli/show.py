"""`jsupervisor show`: operational data in Junos' layout, or as data with --json.

Text is rendered from the data, never the other way round; with --json the data is printed as the module
gave it.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import Final

import click

from jsupervisor.cli.common import (
    ask_status,
    find_instance,
    group_json_option,
    group_name_option,
    json_option,
    name_option,
    print_json,
    require_existing,
)
from jsupervisor.cli.errors import FAILED, WRONG, CliError, refused
from jsupervisor.cli.lazy import LazyGroup
from jsupervisor.cli.render import chassis as chassis_text
from jsupervisor.cli.render import interfaces as interfaces_text
from jsupervisor.cli.render import processes as processes_text
from jsupervisor.cli.render import routes as routes_text
from jsupervisor.cli.render import system as system_text
from jsupervisor.initproto import Json
from jsupervisor.paths import Instance

FORWARDING: Final = "forwarding-table"


def _put(data: Json, render: Callable[[Json], str], as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        print(render(data), end="")


def _get(
    chosen: Instance, module: str, name: str, what: str, arguments: Mapping[str, str] | None = None
) -> Json:
    from jsupervisor.cli.calls import get

    return get(chosen, module, name, f"show {what}", arguments)


@click.group(
    cls=LazyGroup,
    epilog="Example: jsupervisor show interfaces terse",
    short_help="Show operational data in Junos' layout.",
)
@group_name_option
@group_json_option
def show() -> None:
    """Show operational data, in Junos' words: `show interfaces terse`, `sh int ter`."""


@show.command(epilog="Example: jsupervisor show version")
@name_option
@json_option
def version(name: str, as_json: bool) -> None:
    """Host name, model and software."""
    data = _get(find_instance(name), "mgd", "software-information", "version")
    _put(data, system_text.version, as_json)


@show.group(cls=LazyGroup, epilog="Example: jsupervisor show system uptime")
@group_name_option
@group_json_option
def system() -> None:
    """Processes, uptime, core files, alarms."""


@system.command(epilog="Example: jsupervisor show system processes extensive")
@click.argument("detail", required=False, metavar="[extensive]")
@name_option
@json_option
def processes(detail: str | None, name: str, as_json: bool) -> None:
    """The instance's processes, as ps prints them; `extensive`: as top does.

    WCPU is the mean over the process' life.
    """
    if detail is not None and not "extensive".startswith(detail):
        raise CliError(f"cannot show processes {detail!r}: say extensive, or nothing", WRONG)
    from jsupervisor.cli import local

    status = ask_status(find_instance(name))
    try:
        data = local.processes(status, local.machine())
    except OSError as error:
        raise CliError(f"cannot read /proc: {error.strerror}; mount it", FAILED) from error
    _put(data, processes_text.extensive if detail else processes_text.processes, as_json)


@system.command(epilog="Example: jsupervisor show system uptime")
@name_option
@json_option
def uptime(name: str, as_json: bool) -> None:
    """When the system booted, routing began, the configuration changed."""
    chosen = find_instance(name)
    data = _get(chosen, "mgd", "system-uptime-information", "system uptime")
    try:
        protocols = _get(chosen, "rpd", "protocols-started-time", "system uptime")
    except CliError:
        protocols = {}  # routing is down: Junos leaves the line out
    _put(with_protocols(data, protocols), system_text.uptime, as_json)


def with_protocols(data: Json, protocols: Json) -> Json:
    """mgd's answer with rpd's part in its place, after the time of the boot."""
    system = data.get("system-uptime-information") if isinstance(data, Mapping) else None
    if not isinstance(system, Mapping) or not isinstance(protocols, Mapping) or not protocols:
        return data
    merged: dict[str, Json] = {}
    for key, value in system.items():
        merged[key] = value
        if key == "system-booted-time":
            merged.update(protocols)
    return {"system-uptime-information": {**merged, **protocols}}


@system.command("core-dumps", epilog="Example: jsupervisor show system core-dumps")
@name_option
@json_option
def core_dumps(name: str, as_json: bool) -> None:
    """Core files of the instance, running or not."""
    from jsupervisor.runtime.cores import directory_list

    chosen = require_existing(find_instance(name))
    _put(directory_list(chosen.crash_dir, time.time()), system_text.core_dumps, as_json)


@system.command(epilog="Example: jsupervisor show system alarms")
@name_option
@json_option
def alarms(name: str, as_json: bool) -> None:
    """Active alarms."""
    data = _get(find_instance(name), "alarmd", "alarm-information", "system alarms")
    _put(data, system_text.alarms, as_json)


@show.group(cls=LazyGroup, epilog="Example: jsupervisor show chassis hardware")
@group_name_option
@group_json_option
def chassis() -> None:
    """Hardware and FPCs."""


@chassis.command(epilog="Example: jsupervisor show chassis hardware --json")
@name_option
@json_option
def hardware(name: str, as_json: bool) -> None:
    """Everything in the chassis, with part and serial numbers."""
    data = _get(find_instance(name), "chassisd", "chassis-inventory", "chassis hardware")
    _put(data, chassis_text.hardware, as_json)


@chassis.command(epilog="Example: jsupervisor show chassis fpc")
@name_option
@json_option
def fpc(name: str, as_json: bool) -> None:
    """The state of each FPC."""
    data = _get(find_instance(name), "chassisd", "fpc-information", "chassis fpc")
    _put(data, chassis_text.fpc, as_json)


@show.group(cls=LazyGroup, epilog="Example: jsupervisor show interfaces terse")
@group_name_option
@group_json_option
def interfaces() -> None:
    """Interfaces and their addresses."""


@interfaces.command(epilog="Example: jsupervisor show interfaces terse --json")
@name_option
@json_option
def terse(name: str, as_json: bool) -> None:
    """One line for each interface and address."""
    data = _get(find_instance(name), "dcd", "interface-information", "interfaces terse")
    _put(data, interfaces_text.terse, as_json)


@show.command(epilog="Example: jsupervisor show route 192.0.2.0/24")
@click.argument("destination", required=False, metavar=f"[DESTINATION|{FORWARDING}]")
@name_option
@json_option
def route(destination: str | None, name: str, as_json: bool) -> None:
    """The routing table, or what of it concerns DESTINATION, an address or prefix.

    With `forwarding-table` instead: what the packet engines forward by.
    """
    if destination and FORWARDING.startswith(destination):
        _put(_forwarding(find_instance(name)), routes_text.forwarding_table, as_json)
        return
    arguments = {}
    if destination:
        with refused(WRONG, BadDestination):
            arguments["destination"] = checked(destination)
    data = _get(find_instance(name), "rpd", "route-information", "route", arguments)
    _put(data, routes_text.route, as_json)


class BadDestination(Exception):
    """Neither an address nor a prefix."""


def checked(destination: str) -> str:
    """The destination itself; raises BadDestination."""
    try:
        ipaddress.ip_interface(destination)
    except ValueError as error:
        raise BadDestination(
            f"cannot show routes to {destination!r}: it is neither an address nor a prefix"
        ) from error
    return destination


def _forwarding(chosen: Instance) -> Json:
    """From the first packet engine that answers: all have the same table."""
    from jsupervisor.cli.complete import known_modules

    what = f"route {FORWARDING}"
    failure = CliError(f"cannot show {what}: the profile has no packet engine")
    for unique, executable, _ in known_modules(chosen):
        if executable != "pfectl":
            continue
        try:
            return _get(chosen, unique, "forwarding-table-information", what)
        except CliError as error:
            failure = error
    raise failure

"""The one table of what each daemon is called.

As in Junos each has three names: the executable (process lists), the CLI name (`restart routing`,
init's log lines) and the display name (replies to an operator).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class DaemonName:
    """The three names of one daemon."""

    executable: str
    cli_name: str
    display_name: str


_ALL: Final = (
    DaemonName("init", "init", "Init daemon"),
    DaemonName("jlaunchd", "launch-control", "Launch control process"),
    DaemonName("launcher", "launcher", "Launcher process"),
    DaemonName("chassisd", "chassis-control", "Chassis control process"),
    DaemonName("alarmd", "alarm-control", "Alarm control process"),
    DaemonName("eventd", "event-processing", "Event processing process"),
    DaemonName("mgd", "management", "Management process"),
    DaemonName("dcd", "interface-control", "Interface control process"),
    DaemonName("ppmd", "periodic-packet-services", "Periodic packet management process"),
    DaemonName("rpd", "routing", "Routing protocols process"),
    DaemonName("pfectl", "pfe-control", "Packet Forwarding Engine control process"),
    DaemonName("pfe", "pfe", "Packet Forwarding Engine"),
)

NAMES: Final[Mapping[str, DaemonName]] = MappingProxyType({name.executable: name for name in _ALL})
"""Keyed by executable."""


def daemon_name(executable: str) -> DaemonName:
    """The names of `executable`; a program that is not in the table is called by it throughout."""
    return NAMES.get(executable) or DaemonName(executable, executable, f"{executable} process")


def executable_of(module: str) -> str:
    """The executable behind a unique module name: "pfectl0" is a "pfectl"."""
    return module.rstrip("0123456789") or module

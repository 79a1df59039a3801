"""From a port's specification to an open port."""

from __future__ import annotations

from collections.abc import Mapping

from jdaemons.pfe.ports.afpacket import PacketPort
from jdaemons.pfe.ports.port import Port, PortError, Store
from jdaemons.pfe.ports.tap import TapPort
from jdaemons.pfe.ports.udp import UdpPort
from jdaemons.pfe.ports.unix import UnixPort
from jsupervisor.runtime.portspec import DeviceKind, DeviceSpec, UdpSpec, UnixSpec, parse_port_spec


def own_ports(ports: Mapping[str, str], fpc: int) -> list[str]:
    """The names of the ports on an FPC, in the order that both engine and pfectl number them."""
    return sorted(name for name in ports if fpc_of(name) == fpc)


def fpc_of(name: str) -> int | None:
    """The FPC in an interface's name: ge-FPC/PIC/PORT. None for another kind of name."""
    number = name.partition("-")[2].partition("/")[0]
    return int(number) if number.isdecimal() and "/" in name else None


def open_port(name: str, text: str, key: str, store: Store, run_dir: str) -> Port:
    """Open a port, or adopt what the store keeps of it; raises PortError.

    What is made outside of the run folder is noted there.
    """
    try:
        spec = parse_port_spec(text)
    except ValueError as error:
        raise PortError(str(error)) from error
    match spec:
        case UdpSpec():
            return UdpPort(name, spec, key, store)
        case UnixSpec():
            return UnixPort(name, spec, key, store, run_dir)
        case DeviceSpec(DeviceKind.TAP):
            return TapPort(name, spec, key, store)
        case DeviceSpec():
            return PacketPort(name, spec, key, store, run_dir)

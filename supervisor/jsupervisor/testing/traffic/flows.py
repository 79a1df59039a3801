"""What is sent where, and what a host is: frozen values that travel to host processes as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

from jsupervisor.runtime.portspec import parse_port_spec
from jsupervisor.testing.traffic.frames import address, mac

DEFAULT_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Flow:
    """A steady stream of packets from one host to another."""

    number: int
    """Unique in a test bed; names the flow in packets and ledgers."""
    source: str
    destination: str
    rate: float
    """Packets per second."""
    hops: int = 64
    """TTL or hop limit at the source."""

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.destination else 4


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host: where it is attached, who it is, what it sends and what it counts."""

    name: str
    link: str
    """A port specification as the router was given it: `unix:PATH` or `udp:...`."""
    mac: str
    addresses: tuple[str, ...]
    gateways: tuple[str, ...] = ()
    """The router's addresses on the link, one per family that the host sends."""
    sends: tuple[Flow, ...] = ()
    counts: tuple[Flow, ...] = ()
    seconds: int = DEFAULT_SECONDS
    """For how long traffic may run: the ledger has room for as much."""

    def gateway(self, flow: Flow) -> str:
        """The router's address that `flow` goes through; raises ValueError."""
        for gateway in self.gateways:
            if (":" in gateway) == (flow.version == 6):
                return gateway
        raise ValueError(
            f"cannot send flow {flow.number}: {self.name} has no IPv{flow.version} gateway"
        )


def validate(plan: HostPlan) -> HostPlan:
    """The plan itself; raises ValueError that names what is wrong with it."""
    mac(plan.mac)
    parse_port_spec(plan.link)
    for text in (*plan.addresses, *plan.gateways):
        address(text)
    for flow in plan.sends:
        address(flow.source)
        address(flow.destination)
        plan.gateway(flow)
        if flow.rate <= 0:
            raise ValueError(f"cannot send flow {flow.number}: its rate must be above 0")
    numbers = [flow.number for flow in (*plan.sends, *plan.counts)]
    if len(numbers) != len(set(numbers)):
        raise ValueError(f"cannot use the flows of {plan.name}: a number occurs twice")
    return plan


def to_json(plan: HostPlan) -> str:
    """The plan as one line."""
    return json.dumps(asdict(plan))


def from_json(text: str) -> HostPlan:
    """The plan in `text`; raises ValueError."""
    try:
        fields = json.loads(text)
        for name in ("sends", "counts"):
            fields[name] = tuple(Flow(**flow) for flow in fields[name])
        for name in ("addresses", "gateways"):
            fields[name] = tuple(fields[name])
        return validate(HostPlan(**fields))
    except (KeyError, TypeError) as error:
        raise ValueError(f"cannot read a host plan: {error}") from error


def split(rate: float, pairs: list[tuple[str, str]], first: int = 1) -> tuple[Flow, ...]:
    """`rate` packets per second shared equally among (source, destination) pairs."""
    share = rate / len(pairs)
    return tuple(
        Flow(first + index, source, destination, share)
        for index, (source, destination) in enumerate(pairs)
    )

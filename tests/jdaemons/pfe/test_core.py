"""What pfectl decides to write."""

from __future__ import annotations

from jdaemons.pfe.core import Core
from jdaemons.pfe.events import (
    ChangeRoutes,
    Event,
    FibChanged,
    InterfacesChanged,
    LogicalInterface,
    Missing,
    RemoveNextHops,
    SetNextHops,
    SetPorts,
    Synced,
)
from jdaemons.pfe.fakes import ip, route
from jdaemons.pfe.layout import NextHopType
from jdaemons.pfe.values import LOOPBACK_PORT, REMOTE_PORT, Address, NextHop, Port

A, B = route("10.0.0.0/8"), route("2001:db8::/32")
ONE = NextHop(id=1, type=NextHopType.DISCARD)
TWO = NextHop(id=2, type=NextHopType.REJECT)
NONE: frozenset[bytes] = frozenset()


def interface(name: str, fpc: int = 0, port: int = 0, **changes: object) -> LogicalInterface:
    values: dict[str, object] = {
        "name": f"{name}.0",
        "physical": name,
        "unit": 0,
        "admin_up": True,
        "fpc": fpc,
        "port": port,
        "mac": b"\2\0\0\0\0" + bytes((port,)),
        "mtu": 1514,
    }
    return LogicalInterface(**{**values, **changes})  # type: ignore[arg-type]


def after(*events: Event) -> Core:
    core = Core(0)
    for event in events:
        core.handle(event)
    return core


FIB = FibChanged(next_hops={1: ONE, 2: TWO}, routes={A: 1, B: 2})


def test_next_hops_are_written_before_their_routes() -> None:
    assert [SetNextHops((ONE, TWO)), ChangeRoutes({A: 1, B: 2}, NONE)] == Core(0).handle(FIB)


def test_routes_are_removed_before_their_next_hops() -> None:
    core = after(FIB)
    gone = FibChanged(routes_removed=frozenset([A]), next_hops_removed=frozenset([1]))

    assert [ChangeRoutes({}, frozenset([A])), RemoveNextHops(frozenset([1]))] == core.handle(gone)


def test_what_is_installed_already_is_not_written_again() -> None:
    assert [] == after(FIB).handle(FIB)


def test_a_successor_writes_differences_alone() -> None:
    core = Core(0, {1: ONE, 2: TWO}, {A: 1, B: 2})
    changed = FibChanged(next_hops={1: ONE, 2: TWO}, routes={A: 2, B: 2})

    assert [ChangeRoutes({A: 2}, NONE)] == core.handle(changed)


def test_what_nobody_speaks_of_goes_when_everything_is_heard_and_not_before() -> None:
    core = Core(0, {1: ONE, 2: TWO}, {A: 1, B: 2})
    heard = core.handle(FibChanged(next_hops={2: TWO}, routes={B: 2}))
    first, *swept = core.handle(Synced())

    assert [] == heard
    assert SetPorts({}, ()) == first
    assert [ChangeRoutes({}, frozenset([A])), RemoveNextHops(frozenset([1]))] == swept
    assert [] == core.handle(Synced())


def test_what_was_removed_in_the_meantime_is_not_swept_twice() -> None:
    core = Core(0, {1: ONE}, {A: 1})
    gone = FibChanged(routes_removed=frozenset([A]), next_hops_removed=frozenset([1]))
    core.handle(gone)

    assert [SetPorts({}, ())] == core.handle(Synced())


def test_a_route_to_a_next_hop_nobody_told_of_is_left_out() -> None:
    core = Core(0)

    assert [Missing({A: 9})] == core.handle(FibChanged(routes={A: 9}))
    assert {} == core.routes


def test_a_port_of_this_fpc_is_installed_with_its_addresses() -> None:
    own = ((ip("192.0.2.1"), 24), (ip("2001:db8::1"), 64))
    event = InterfacesChanged({"ge-0/0/3.0": interface("ge-0/0/3", port=3, addresses=own)})
    port = Port(name="ge-0/0/3", mac=b"\2\0\0\0\0\3", mtu=1514, up=True)
    addresses = tuple(Address(port=3, local=local, prefix_length=n) for local, n in own)

    assert [SetPorts({3: port}, addresses)] == Core(0).handle(event)


def test_addresses_elsewhere_are_known_as_ours() -> None:
    event = InterfacesChanged(
        {
            "ge-1/0/0.0": interface("ge-1/0/0", fpc=1, addresses=((ip("192.0.2.1"), 24),)),
            "lo0.0": interface("lo0", mac=b"", addresses=((ip("10.255.255.1"), 32),)),
        }
    )
    addresses = (
        Address(port=REMOTE_PORT, local=ip("192.0.2.1"), prefix_length=24),
        Address(port=LOOPBACK_PORT, local=ip("10.255.255.1"), prefix_length=32),
    )

    assert [SetPorts({}, addresses)] == Core(0).handle(event)


def test_an_interface_that_went_away_takes_its_port_along() -> None:
    core = after(InterfacesChanged({"ge-0/0/0.0": interface("ge-0/0/0")}))

    assert [SetPorts({}, ())] == core.handle(
        InterfacesChanged(removed=frozenset(["ge-0/0/0.0", "unknown"]))
    )


def test_a_disabled_interface_keeps_its_port_down() -> None:
    event = InterfacesChanged({"ge-0/0/0.0": interface("ge-0/0/0", admin_up=False)})
    (command,) = Core(0).handle(event)

    assert isinstance(command, SetPorts)
    assert not command.ports[0].up

"""What is forwarded follows from interfaces and configuration, whatever their history.

The judge is `expected_fib`: it decides from scratch, by the letter of the law in `resolve`, on texts of
bits, and knows nothing of tables, slices or numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdaemons.rpd.core import Core
from jdaemons.rpd.events import (
    Action,
    ChangeFib,
    Command,
    Continue,
    Event,
    Interface,
    InterfaceAddress,
    InterfacesChanged,
    StaticRoute,
    StaticsChanged,
    Synced,
)
from jdaemons.rpd.nexthops import DISCARD, REJECT, Forwarding, Hash, NextHopType, stable_number
from jdaemons.rpd.prefix import WIDTHS, Prefix, parse_prefix

GE0, GE1, LO0 = "ge-0/0/0.0", "ge-0/0/1.0", "lo0.0"


# -- writing inputs down ------------------------------------------------------------------------


def interface(name: str, *addresses: str, up: bool = True, index: int = 0) -> Interface:
    own = [ip_interface(text) for text in addresses]
    return Interface(
        name=name,
        index=index or ord(name[-3]),
        up=up,
        pfe_port=ord(name[-3]) - ord("0"),
        addresses=tuple(
            InterfaceAddress(family=one.version, address=int(one.ip), length=one.network.prefixlen)
            for one in own
        ),
    )


def static(prefix: str, *gateways: str, preference: int = 5) -> StaticRoute:
    return StaticRoute(
        prefix=parse_prefix(prefix),
        gateways=tuple(int(ip_address(text)) for text in gateways),
        preference=preference,
    )


def action(prefix: str, what: Action, preference: int = 5) -> StaticRoute:
    return StaticRoute(prefix=parse_prefix(prefix), action=what, preference=preference)


def interfaces(*changed: Interface) -> InterfacesChanged:
    return InterfacesChanged(upserts={one.name: one for one in changed})


def statics(*routes: StaticRoute) -> StaticsChanged:
    return StaticsChanged(upserts=routes)


def removed(*prefixes: str) -> StaticsChanged:
    return StaticsChanged(removed=tuple(parse_prefix(text) for text in prefixes))


def unicast(gateway: str, name: str) -> Forwarding:
    port = ord(name[-3]) - ord("0")
    return Forwarding(NextHopType.UNICAST, name, 0, port, ip_address(gateway).packed)


# -- a packet engine that obeys -----------------------------------------------------------------


@dataclass
class Engine:
    """Carries out commands in order, and checks that it never has to follow a number to nowhere."""

    next_hops: dict[int, Forwarding] = field(default_factory=dict)
    routes: dict[Prefix, int] = field(default_factory=dict)

    def obey(self, commands: list[Command]) -> None:
        for change in commands:
            assert isinstance(change, ChangeFib)
            self.next_hops.update(change.next_hops)
            self.routes.update(change.routes)
            for prefix in change.withdrawn:
                del self.routes[prefix]
            for number in change.released:
                del self.next_hops[number]
            assert set(self.routes.values()) == set(self.next_hops)

    @property
    def fib(self) -> dict[str, Forwarding]:
        return {str(prefix): self.next_hops[number] for prefix, number in self.routes.items()}


def drive(core: Core, engine: Engine, *events: Event, now: float = 0.0) -> None:
    for event in events:
        engine.obey(core.handle(event, now))
        while core.pending:
            engine.obey(core.handle(Continue(), now))


def run(*events: Event) -> tuple[Core, Engine]:
    core, engine = Core(), Engine()
    drive(core, engine, *events, Synced())
    return core, engine


def statics_of(engine: Engine) -> dict[str, Forwarding]:
    own = (NextHopType.RESOLVE, NextHopType.LOCAL)
    return {prefix: hop for prefix, hop in engine.fib.items() if hop.type not in own}


TWO = interfaces(interface(GE0, "192.0.2.1/24"), interface(GE1, "198.51.100.1/24"))


# -- interfaces ---------------------------------------------------------------------------------


def test_nothing_is_decided_before_everything_is_known() -> None:
    assert [] == Core().handle(TWO, 0.0)


def test_an_interface_gives_its_networks_and_its_own_addresses() -> None:
    _, engine = run(interfaces(interface(GE0, "192.0.2.1/24", "2001:db8::1/64")))
    resolve = Forwarding(NextHopType.RESOLVE, GE0)
    local = Forwarding(NextHopType.LOCAL, GE0)

    assert {
        "192.0.2.0/24": resolve,
        "192.0.2.1/32": local,
        "2001:db8::/64": resolve,
        "2001:db8::1/128": local,
    } == engine.fib


def test_a_point_to_point_network_has_both_of_its_addresses() -> None:
    _, engine = run(
        interfaces(interface(GE0, "192.0.2.0/31")), statics(static("10.0.0.0/8", "192.0.2.1"))
    )

    assert NextHopType.RESOLVE == engine.fib["192.0.2.0/31"].type
    assert NextHopType.LOCAL == engine.fib["192.0.2.0/32"].type
    assert unicast("192.0.2.1", GE0) == engine.fib["10.0.0.0/8"]


def test_the_loopback_has_its_address_alone() -> None:
    _, engine = run(interfaces(interface(LO0, "203.0.113.1/32")))

    assert ["203.0.113.1/32"] == list(engine.fib)
    assert NextHopType.LOCAL == engine.fib["203.0.113.1/32"].type


def test_an_interface_that_goes_down_takes_its_routes_and_its_statics_along() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "192.0.2.2")))
    drive(core, engine, interfaces(interface(GE0, "192.0.2.1/24", up=False)))

    assert {"198.51.100.0/24", "198.51.100.1/32"} == set(engine.fib)


def test_an_interface_that_comes_back_brings_everything_back() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "192.0.2.2")))
    before = dict(engine.routes)
    drive(core, engine, InterfacesChanged(upserts={}, removed=frozenset((GE0,))))
    drive(core, engine, interfaces(interface(GE0, "192.0.2.1/24")))

    assert before == engine.routes


def test_of_two_interfaces_in_one_network_the_lower_index_wins_until_it_goes() -> None:
    both = interfaces(
        interface(GE0, "192.0.2.1/24", index=9), interface(GE1, "192.0.2.2/24", index=3)
    )
    core, engine = run(both)
    before = engine.fib["192.0.2.0/24"].interface
    drive(core, engine, InterfacesChanged(upserts={}, removed=frozenset((GE1,))))

    assert GE1 == before
    assert GE0 == engine.fib["192.0.2.0/24"].interface


def test_an_interface_whose_port_moves_tells_every_route_through_it() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "192.0.2.2")))
    moved = interface(GE0, "192.0.2.1/24")
    moved = Interface(name=GE0, index=moved.index, up=True, pfe_port=7, addresses=moved.addresses)
    drive(core, engine, interfaces(moved))

    assert {7} == {hop.pfe_port for hop in engine.fib.values() if hop.interface == GE0}


# -- static routes ------------------------------------------------------------------------------


def test_a_static_route_goes_to_its_gateway() -> None:
    _, engine = run(
        TWO, statics(static("0.0.0.0/0", "192.0.2.2"), static("10.0.0.0/8", "198.51.100.2"))
    )

    assert {
        "0.0.0.0/0": unicast("192.0.2.2", GE0),
        "10.0.0.0/8": unicast("198.51.100.2", GE1),
    } == statics_of(engine)


def test_a_static_route_through_an_unknown_gateway_stays_hidden() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "203.0.113.9")))

    assert {} == statics_of(engine)
    assert core.tables[4].destinations[parse_prefix("10.0.0.0/8")].active is None


def test_discard_and_reject_need_no_gateway() -> None:
    _, engine = run(
        statics(action("10.0.0.0/8", Action.DISCARD), action("2001:db8::/32", Action.REJECT))
    )

    assert {"10.0.0.0/8": DISCARD, "2001:db8::/32": REJECT} == engine.fib


def test_a_gateway_is_reached_through_other_static_routes() -> None:
    _, engine = run(
        TWO,
        statics(
            static("10.0.0.0/8", "172.16.0.1"),
            static("172.16.0.0/16", "203.0.113.1"),
            static("203.0.113.0/24", "192.0.2.2"),
        ),
    )

    assert {unicast("192.0.2.2", GE0)} == set(statics_of(engine).values())


def test_a_gateway_is_reached_through_the_longest_match() -> None:
    _, engine = run(
        TWO,
        statics(
            static("10.0.0.0/8", "203.0.113.1"),
            static("203.0.113.0/24", "192.0.2.2"),
            static("203.0.113.0/28", "198.51.100.2"),
        ),
    )

    assert unicast("198.51.100.2", GE1) == engine.fib["10.0.0.0/8"]


def test_a_gateway_behind_a_discarded_prefix_is_discarded() -> None:
    _, engine = run(
        TWO, statics(static("10.0.0.0/8", "203.0.113.1"), action("203.0.113.1/32", Action.DISCARD))
    )

    assert DISCARD == engine.fib["10.0.0.0/8"]


def test_a_hidden_route_does_not_stand_before_a_shorter_one() -> None:
    _, engine = run(
        TWO,
        statics(
            static("10.0.0.0/8", "203.0.113.1"),
            static("203.0.113.0/24", "192.0.2.2"),
            static("203.0.113.0/28", "8.8.8.8"),
        ),
    )

    assert unicast("192.0.2.2", GE0) == engine.fib["10.0.0.0/8"]


def test_the_first_gateway_that_can_be_reached_is_used() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "8.8.8.8", "198.51.100.2", "192.0.2.2")))
    first = engine.fib["10.0.0.0/8"]
    drive(core, engine, interfaces(interface(GE1, "198.51.100.1/24", up=False)))

    assert unicast("198.51.100.2", GE1) == first
    assert unicast("192.0.2.2", GE0) == engine.fib["10.0.0.0/8"]


@pytest.mark.parametrize("gateway", ["192.0.2.1", "203.0.113.1"])
def test_the_router_is_not_its_own_gateway(gateway: str) -> None:
    _, engine = run(
        TWO, interfaces(interface(LO0, "203.0.113.1/32")), statics(static("10.0.0.0/8", gateway))
    )

    assert {} == statics_of(engine)


def test_a_link_local_gateway_without_an_interface_cannot_be_used() -> None:
    _, engine = run(interfaces(interface(GE0, "fe80::1/64")), statics(static("::/0", "fe80::2")))

    assert {} == statics_of(engine)


def test_a_route_does_not_lead_to_its_own_gateway() -> None:
    _, engine = run(
        interfaces(interface(GE0, "10.0.0.1/8")),
        statics(static("10.1.1.0/24", "10.1.1.1"), static("0.0.0.0/0", "8.8.8.8")),
    )

    assert {"10.1.1.0/24": unicast("10.1.1.1", GE0)} == statics_of(engine)


def test_routes_that_lead_to_each_other_are_hidden_and_others_find_another_way() -> None:
    _, engine = run(
        TWO,
        statics(
            static("10.1.0.0/16", "10.2.0.1"),
            static("10.2.0.0/16", "10.1.0.1"),
            static("10.3.0.0/16", "10.1.0.1"),
            static("10.0.0.0/8", "192.0.2.2"),
        ),
    )

    assert {
        "10.0.0.0/8": unicast("192.0.2.2", GE0),
        "10.3.0.0/16": unicast("192.0.2.2", GE0),
    } == statics_of(engine)


def test_a_circle_is_left_by_the_next_gateway() -> None:
    _, engine = run(
        TWO,
        statics(
            static("10.1.0.0/16", "10.2.0.1", "192.0.2.2"),
            static("10.2.0.0/16", "10.1.0.1"),
        ),
    )

    assert {"10.1.0.0/16": unicast("192.0.2.2", GE0)} == statics_of(engine)


def test_a_circle_that_is_cut_is_one_no_more() -> None:
    core, engine = run(
        TWO, statics(static("10.1.0.0/16", "10.2.0.1"), static("10.2.0.0/16", "10.1.0.1"))
    )
    drive(core, engine, statics(static("10.2.0.0/16", "192.0.2.2")))

    assert {"10.1.0.0/16", "10.2.0.0/16"} == set(statics_of(engine))


def test_a_chain_longer_than_the_interpreters_stack_is_followed() -> None:
    count = 5000
    routes = [
        static(f"{ip_address(0x0A000000 + n)}/32", str(ip_address(0x0A000000 + n + 1)))
        for n in range(count)
    ]
    _, engine = run(
        TWO, statics(*routes, static(f"{ip_address(0x0A000000 + count)}/32", "192.0.2.2"))
    )

    assert count + 1 == len(statics_of(engine))
    assert {unicast("192.0.2.2", GE0)} == set(statics_of(engine).values())


def test_a_direct_route_is_preferred_to_a_static_one_even_of_preference_0() -> None:
    _, engine = run(TWO, statics(static("192.0.2.0/24", "198.51.100.2", preference=0)))

    assert NextHopType.RESOLVE == engine.fib["192.0.2.0/24"].type


def test_a_static_route_takes_over_when_the_interface_goes() -> None:
    core, engine = run(TWO, statics(static("192.0.2.0/24", "198.51.100.2")))
    drive(core, engine, interfaces(interface(GE0, up=False)))

    assert unicast("198.51.100.2", GE1) == engine.fib["192.0.2.0/24"]


def test_a_removed_route_is_withdrawn_and_forgotten() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "192.0.2.2")))
    drive(core, engine, removed("10.0.0.0/8", "172.16.0.0/12"))

    assert {} == statics_of(engine)
    assert parse_prefix("10.0.0.0/8") not in core.tables[4].destinations
    assert {} == core.tables[4].gateways


def test_what_does_not_change_is_not_told() -> None:
    core, _ = run(TWO, statics(static("10.0.0.0/8", "192.0.2.2")))

    assert [] == core.handle(TWO, 1.0)
    assert [] == core.handle(statics(static("10.0.0.0/8", "192.0.2.2", preference=7)), 1.0)


def test_one_route_more_is_one_record() -> None:
    core, engine = run(TWO, statics(*(static(f"10.{n}.0.0/16", "192.0.2.2") for n in range(200))))
    (change,) = core.handle(statics(static("11.0.0.0/8", "192.0.2.2")), 1.0)

    assert (
        ChangeFib(
            next_hops={},
            routes={parse_prefix("11.0.0.0/8"): engine.routes[parse_prefix("10.0.0.0/16")]},
            withdrawn=(),
            released=(),
        )
        == change
    )


def test_the_age_of_a_route_counts_from_its_last_change() -> None:
    core, engine = run(TWO, statics(static("10.0.0.0/8", "192.0.2.2", "198.51.100.2")))
    destination = core.tables[4].destinations[parse_prefix("10.0.0.0/8")]
    drive(core, engine, statics(static("11.0.0.0/8", "192.0.2.2")), now=5.0)
    unchanged = destination.changed
    drive(core, engine, interfaces(interface(GE0, up=False)), now=9.0)

    assert (0.0, 9.0) == (unchanged, destination.changed)


def test_much_to_decide_is_decided_in_slices() -> None:
    core, engine = Core(slice_size=10), Engine()
    drive(core, engine, TWO, statics(*(static(f"10.{n}.0.0/16", "192.0.2.2") for n in range(100))))
    engine.obey(core.handle(Synced(), 0.0))
    after_one = len(engine.routes)
    drive(core, engine, Continue())

    assert 10 == after_one
    assert 104 == len(engine.routes)


# -- the judge ----------------------------------------------------------------------------------

Option = tuple[tuple[int, int, int, str], Forwarding | None, str]
"""Order, what to do or None, the gateway's bits or nothing."""


def bits(value: int, length: int, width: int) -> str:
    return f"{value:0{width}b}"[:length]


def all_options(
    family: int, ifaces: dict[str, Interface], routes: dict[Prefix, StaticRoute]
) -> dict[str, list[Option]]:
    width = WIDTHS[family]
    found: dict[str, list[Option]] = {}
    for one in ifaces.values():
        for own in one.addresses if one.up else ():
            if own.family != family:
                continue
            network = bits(own.address, own.length, width)
            address = bits(own.address, width, width)
            direct = Forwarding(NextHopType.RESOLVE, one.name, one.fpc, one.pfe_port)
            local = direct._replace(type=NextHopType.LOCAL)
            if network != address:
                found.setdefault(network, []).append(((0, 0, one.index, one.name), direct, ""))
            protocol = 0 if network == address else 1
            found.setdefault(address, []).append(((0, protocol, one.index, one.name), local, ""))
    for route in routes.values():
        if route.prefix.family != family:
            continue
        options = found.setdefault(bits(route.prefix.value, route.prefix.length, width), [])
        if route.action is not None:
            what = DISCARD if route.action is Action.DISCARD else REJECT
            options.append(((route.preference, 2, 0, ""), what, ""))
        for gateway in route.gateways:
            options.append(((route.preference, 2, 0, ""), None, bits(gateway, width, width)))
    return {prefix: sorted(options, key=lambda o: o[0]) for prefix, options in found.items()}


def expected_fib(
    family: int, ifaces: dict[str, Interface], routes: dict[Prefix, StaticRoute]
) -> dict[str, Forwarding]:
    """By the bits of the prefix."""
    left = all_options(family, ifaces, routes)
    own = {p for p, opts in left.items() for o in opts if o[1] and o[1].type is NextHopType.LOCAL}

    def way(prefix: str, option: Option) -> str | None:
        over = [p for p in left if left[p] and option[2].startswith(p) and p != prefix]
        return None if option[2] in own else max(over, key=len, default=None)

    def strike_one_round() -> bool:
        for prefix, options in left.items():
            for option in options:
                if option[1] is None and way(prefix, option) is None:
                    options.remove(option)
                    return True
        for start in left:
            seen = [start]
            while left[seen[-1]] and left[seen[-1]][0][1] is None:
                following = way(seen[-1], left[seen[-1]][0])
                assert following is not None
                if following in seen:
                    for member in seen[seen.index(following) :]:
                        left[member].pop(0)
                    return True
                seen.append(following)
        return False

    while strike_one_round():
        pass

    def follow(prefix: str) -> Forwarding:
        _, what, gateway = left[prefix][0]
        if what is not None:
            return what
        over = way(prefix, left[prefix][0])
        assert over is not None
        found = follow(over)
        if found.type is not NextHopType.RESOLVE:
            return found
        octets = int(gateway, 2).to_bytes(len(gateway) // 8)
        return found._replace(type=NextHopType.UNICAST, gateway=octets)

    return {prefix: follow(prefix) for prefix, options in left.items() if options}


# -- against the judge --------------------------------------------------------------------------


def at(family: int, octets: tuple[int, ...]) -> int:
    value = 0
    for place in range(4):
        value = value << 8 | (octets[place] if place < len(octets) else 0)
    return value << WIDTHS[family] - 32


families = st.sampled_from((4, 6))
octets = st.sampled_from(
    (
        (10,),
        (10, 1),
        (10, 1, 1),
        (10, 1, 1, 1),
        (10, 1, 1, 2),
        (10, 2),
        (10, 2, 1, 1),
        (20,),
        (20, 1, 1, 1),
        (),
    )
)
lengths = st.sampled_from((0, 7, 8, 16, 24, 31, 32))


def to_prefix(family: int, address: tuple[int, ...], length: int) -> Prefix:
    width = WIDTHS[family]
    if length == 32:
        length = width
    shift = width - length
    return Prefix(family, at(family, address) >> shift << shift, length)


prefixes = st.builds(to_prefix, families, octets, lengths)
own_addresses = st.builds(
    lambda family, address, length: InterfaceAddress(
        family=family,
        address=at(family, address),
        length=WIDTHS[family] if length == 32 else length,
    ),
    families,
    octets.filter(lambda address: len(address) == 4),
    lengths.filter(lambda length: length > 0),
)
some_interfaces = st.builds(
    lambda number, up, addresses: Interface(
        name=f"ge-0/0/{number}.0", index=number + 1, up=up, pfe_port=number, addresses=addresses
    ),
    st.integers(0, 2),
    st.booleans(),
    st.lists(own_addresses, max_size=2, unique_by=lambda own: (own.family, own.address)).map(tuple),
)
some_statics = st.builds(
    lambda prefix, gateways, what, preference: StaticRoute(
        prefix=prefix,
        gateways=() if what else tuple(at(prefix.family, gateway) for gateway in gateways),
        action=what,
        preference=preference,
    ),
    prefixes,
    st.lists(octets.filter(lambda address: len(address) == 4), min_size=1, max_size=2, unique=True),
    st.sampled_from((None, None, None, Action.DISCARD, Action.REJECT)),
    st.sampled_from((0, 5)),
)
events = st.one_of(
    st.builds(interfaces, some_interfaces),
    st.builds(lambda *routes: statics(*routes), some_statics, some_statics),
    st.builds(lambda prefix: StaticsChanged(removed=(prefix,)), prefixes),
    st.builds(
        lambda number: InterfacesChanged(upserts={}, removed=frozenset((f"ge-0/0/{number}.0",))),
        st.integers(0, 2),
    ),
)


def crowded(next_hop: Forwarding, attempt: int) -> int:
    return stable_number(next_hop, attempt) % 3 + 3 * attempt + 1


def remember(event: Event, ifaces: dict[str, Interface], routes: dict[Prefix, StaticRoute]) -> None:
    match event:
        case InterfacesChanged():
            ifaces.update(event.upserts)
            for name in event.removed:
                ifaces.pop(name, None)
        case StaticsChanged():
            routes.update({route.prefix: route for route in event.upserts})
            for prefix in event.removed:
                routes.pop(prefix, None)
        case Synced() | Continue():
            pass


@settings(max_examples=400, deadline=None)
@given(
    st.lists(events, max_size=12),
    st.integers(0, 12),
    st.sampled_from((1, 3, 1000)),
    st.sampled_from((stable_number, crowded)),
    st.booleans(),
)
def test_what_is_forwarded_is_what_follows_from_scratch(
    history: list[Event], synced_at: int, slice_size: int, number: Hash, hasty: bool
) -> None:
    core, engine = Core(number=number, slice_size=slice_size), Engine()
    ifaces: dict[str, Interface] = {}
    routes: dict[Prefix, StaticRoute] = {}
    for event in (*history[:synced_at], Synced(), *history[synced_at:]):
        remember(event, ifaces, routes)
        if hasty:
            engine.obey(core.handle(event, 0.0))
        else:
            drive(core, engine, event)
    drive(core, engine, Continue())
    expected = {}
    for family, width in WIDTHS.items():
        for text, hop in expected_fib(family, ifaces, routes).items():
            value = int(text.ljust(width, "0"), 2)
            expected[str(Prefix(family, value, len(text)))] = hop

    assert expected == engine.fib


@settings(max_examples=100, deadline=None)
@given(st.lists(events, max_size=12), st.sampled_from((stable_number, crowded)))
def test_a_successor_tells_the_same_numbers(history: list[Event], number: Hash) -> None:
    core, engine = Core(number=number), Engine()
    ifaces: dict[str, Interface] = {}
    routes: dict[Prefix, StaticRoute] = {}
    drive(core, engine, Synced())
    for event in history:
        remember(event, ifaces, routes)
        drive(core, engine, event)
    successor, other = Core(number=number, slice_size=2), Engine()
    drive(
        successor,
        other,
        statics(*reversed(routes.values())),
        interfaces(*reversed(ifaces.values())),
        Synced(),
    )

    assert engine.routes == other.routes
    assert engine.next_hops == other.next_hops

"""`show route` as data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_interface

import pytest

from jdaemons.rpd.core import Core
from jdaemons.rpd.events import (
    Action,
    Continue,
    Interface,
    InterfaceAddress,
    InterfacesChanged,
    StaticRoute,
    StaticsChanged,
    Synced,
)
from jdaemons.rpd.prefix import Prefix, parse_prefix
from jdaemons.rpd.show import (
    MOST_SHOWN,
    DestinationError,
    age,
    protocols_started_time,
    route_information,
)


def static(prefix: str, *gateways: str) -> StaticRoute:
    addresses = tuple(int(ip_address(text)) for text in gateways)
    what = None if gateways else Action.DISCARD
    return StaticRoute(prefix=parse_prefix(prefix), gateways=addresses, action=what)


def interface(name: str, *addresses: str) -> Interface:
    own = [ip_interface(text) for text in addresses]
    return Interface(
        name=name,
        index=1,
        up=True,
        addresses=tuple(
            InterfaceAddress(family=one.version, address=int(one.ip), length=one.network.prefixlen)
            for one in own
        ),
    )


def a_core(*routes: StaticRoute) -> Core:
    core = Core()
    ge, lo = (
        interface("ge-0/0/0.0", "192.0.2.1/24"),
        interface("lo0.0", "203.0.113.1/32", "::1/128"),
    )
    core.handle(InterfacesChanged(upserts={one.name: one for one in (ge, lo)}), 100.0)
    core.handle(StaticsChanged(upserts=routes), 100.0)
    core.handle(Synced(), 100.0)
    while core.pending:
        core.handle(Continue(), 100.0)
    return core


def tables(core: Core, destination: str = "") -> list[dict[str, object]]:
    shown = route_information(core, destination, 165.5)
    assert isinstance(shown, Mapping)
    information = shown["route-information"]
    assert isinstance(information, Mapping)
    found = information["route-table"]
    assert isinstance(found, list)
    return found


def destinations(core: Core, destination: str) -> list[object]:
    return [rt["rt-destination"] for table in tables(core, destination) for rt in rts(table)]


def rts(table: dict[str, object]) -> list[dict[str, object]]:
    found = table["rt"]
    assert isinstance(found, list)
    return found


def test_all_routes_as_junos_shows_them() -> None:
    core = a_core(
        static("0.0.0.0/0", "192.0.2.254"),
        static("10.0.0.0/8"),
        static("192.0.2.0/24", "192.0.2.2"),
    )
    common = {"active-tag": "*", "current-active": "", "age": "00:01:05", "age-seconds": "65"}
    direct = {**common, "protocol-name": "Direct", "preference": "0"}
    fixed = {**common, "protocol-name": "Static", "preference": "5"}
    four, six = tables(core)

    rows = four.pop("rt")
    assert {
        "table-name": "inet.0",
        "destination-count": "5",
        "total-route-count": "6",
        "active-route-count": "5",
        "holddown-route-count": "0",
        "hidden-route-count": "0",
    } == four
    assert [
        {
            "rt-destination": "0.0.0.0/0",
            "rt-entry": [
                fixed
                | {"nh": [{"selected-next-hop": "", "to": "192.0.2.254", "via": "ge-0/0/0.0"}]}
            ],
        },
        {"rt-destination": "10.0.0.0/8", "rt-entry": [fixed | {"nh-type": "Discard"}]},
        {
            "rt-destination": "192.0.2.0/24",
            "rt-entry": [
                direct | {"nh": [{"selected-next-hop": "", "via": "ge-0/0/0.0"}]},
                {
                    "protocol-name": "Static",
                    "preference": "5",
                    "age": "00:01:05",
                    "age-seconds": "65",
                    "nh": [{"selected-next-hop": "", "to": "192.0.2.2", "via": "ge-0/0/0.0"}],
                },
            ],
        },
        {
            "rt-destination": "192.0.2.1/32",
            "rt-entry": [
                common
                | {
                    "protocol-name": "Local",
                    "preference": "0",
                    "nh-type": "Local",
                    "nh": [{"nh-local-interface": "ge-0/0/0.0"}],
                }
            ],
        },
        {
            "rt-destination": "203.0.113.1/32",
            "rt-entry": [direct | {"nh": [{"selected-next-hop": "", "via": "lo0.0"}]}],
        },
    ] == rows
    assert ("inet6.0", "1") == (six["table-name"], six["destination-count"])


def test_hidden_routes_are_counted_and_not_shown() -> None:
    (table, _) = tables(a_core(static("10.0.0.0/8", "8.8.8.8")))

    assert ("4", "1", "3") == (
        table["destination-count"],
        table["hidden-route-count"],
        table["active-route-count"],
    )
    assert "10.0.0.0/8" not in [rt["rt-destination"] for rt in rts(table)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("10.1.1.1", ["10.1.0.0/16"]),
        ("10.2.0.1", ["10.0.0.0/8"]),
        ("11.0.0.1", []),
        ("10.0.0.0/8", ["10.0.0.0/8", "10.1.0.0/16"]),
        ("10.1.2.3/16", ["10.1.0.0/16"]),
        ("10.1.1.0/24", ["10.1.0.0/16"]),
        ("8.0.0.0/5", ["10.0.0.0/8", "10.1.0.0/16"]),
        ("10.3.1.1", ["10.0.0.0/8"]),
        ("::1", ["::1/128"]),
    ],
)
def test_a_destination_gets_its_longest_match_or_what_lies_in_it(
    asked: str, found: list[str]
) -> None:
    core = a_core(static("10.0.0.0/8"), static("10.1.0.0/16"), static("10.3.0.0/16", "8.8.8.8"))

    assert found == destinations(core, asked)


@pytest.mark.parametrize("asked", ["x", "10.0.0.0/33", "300.1.1.1"])
def test_what_is_no_destination_is_refused(asked: str) -> None:
    with pytest.raises(DestinationError, match=f"^cannot show routes to '{asked}'"):
        route_information(Core(), asked, 0.0)


def test_too_much_to_show_is_refused_and_a_part_is_shown() -> None:
    many = [
        StaticRoute(prefix=Prefix(4, 0x0A000000 + (n << 8), 24), action=Action.DISCARD)
        for n in range(MOST_SHOWN)
    ]
    core = a_core(*many)

    with pytest.raises(DestinationError, match="cannot show more than 10000 destinations"):
        route_information(core, "", 0.0)
    assert 256 == len(destinations(core, "10.1.0.0/16"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "00:00:00"),
        (65.9, "00:01:05"),
        (86400 + 7384, "1d 02:03:04"),
        (26 * 86400 + 66636, "3w5d 18:30:36"),
    ],
)
def test_ages_are_printed_as_in_junos(seconds: float, text: str) -> None:
    assert text == age(seconds)


def test_the_start_of_routing_is_said_with_the_time_since() -> None:
    started = datetime(2021, 3, 29, 13, 37, 11, tzinfo=UTC)
    passed = timedelta(weeks=22, hours=19, minutes=11, seconds=3)

    assert {
        "protocols-started-time": {
            "date-time": "2021-03-29 13:37:11 UTC",
            "time-length": "22w0d 19:11",
        }
    } == protocols_started_time(started, started + passed)
    assert {
        "protocols-started-time": {
            "date-time": "2021-03-29 13:37:11 UTC",
            "time-length": "00:01:05",
        }
    } == protocols_started_time(started, started + timedelta(seconds=65))

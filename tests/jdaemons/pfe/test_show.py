"""Operational data in Junos' element names."""

from __future__ import annotations

import pytest

from jdaemons.pfe.core import Core
from jdaemons.pfe.fakes import NEXT_HOPS, ip, route
from jdaemons.pfe.layout import NextHopType
from jdaemons.pfe.show import (
    MOST_SHOWN,
    DestinationError,
    forwarding_table,
    pfe_statistics,
    port_statistics,
)
from jdaemons.pfe.values import NextHop
from jdaemons.pfe.wire import Counters, Link

ROUTES = {
    route("0.0.0.0/0"): 6,
    route("10.1.0.0/16"): 3,
    route("192.0.2.0/24"): 1,
    route("192.0.2.1/32"): 5,
    route("10.77.0.0/16"): 7,
    route("2001:db8:f::/48"): 4,
}


def core() -> Core:
    return Core(0, {hop.id: hop for hop in NEXT_HOPS}, ROUTES)


def entry(destination: str, kind: str, nh: dict[str, str]) -> dict[str, object]:
    return {
        "rt-destination": destination,
        "destination-type": kind,
        "route-reference-count": "0",
        "nh": [nh],
    }


def hop(kind: str, index: int, **more: str) -> dict[str, str]:
    return {**more, "nh-type": kind, "nh-index": str(index), "nh-reference-count": "1"}


def test_the_forwarding_table_is_listed_by_family_and_destination() -> None:
    expected = [
        entry("default", "user", hop("dscd", 6)),
        entry("10.1.0.0/16", "user", hop("ucst", 3, to="198.51.100.2")),
        entry("10.77.0.0/16", "user", hop("rjct", 7)),
        entry("192.0.2.0/24", "intf", hop("rslv", 1, via="ge-0/0/0.0")),
        entry("192.0.2.1/32", "intf", hop("locl", 5, to="192.0.2.1")),
    ]
    six = [entry("2001:db8:f::/48", "user", hop("ucst", 4, to="2001:db8:2::2"))]
    tables = [
        {"table-name": "default.inet", "address-family": "Internet", "rt-entry": expected},
        {"table-name": "default.inet6", "address-family": "Internet6", "rt-entry": six},
    ]

    assert {"forwarding-table-information": {"route-table": tables}} == forwarding_table(core())


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("10.0.0.0/8", ["10.1.0.0/16", "10.77.0.0/16"]),
        ("192.0.2.1", ["default", "192.0.2.0/24", "192.0.2.1/32"]),
        ("2001:db8:f::7", ["2001:db8:f::/48"]),
        ("2600::/16", []),
    ],
)
def test_a_part_of_the_table_can_be_asked_for(asked: str, found: list[str]) -> None:
    answer = forwarding_table(core(), asked)
    tables = answer["forwarding-table-information"]["route-table"]  # type: ignore[index, call-overload]
    entries = [each["rt-destination"] for table in tables for each in table["rt-entry"]]  # type: ignore[index, call-overload, union-attr]

    assert found == entries


def test_nonsense_and_too_much_are_refused() -> None:
    many = {bytes((6, 128)) + n.to_bytes(16): 1 for n in range(MOST_SHOWN + 1)}
    hops = {1: NextHop(id=1, type=NextHopType.UNICAST, gateway=ip("192.0.2.2"))}
    with pytest.raises(DestinationError, match=r"^cannot show routes to 'x': not a prefix$"):
        forwarding_table(core(), "x")
    with pytest.raises(DestinationError, match=r"^cannot show 10001 routes at once"):
        forwarding_table(Core(0, hops, many))


COUNTERS = Counters(
    input_packets=1, input_bytes=2, output_packets=3, output_bytes=4, drops={"runt": 5}
)
DROPS = [{"drop-reason": "runt", "drop-packets": "5"}]


def test_statistics_of_the_engine() -> None:
    traffic = {"pfe-input-packets": "1", "pfe-output-packets": "3"}

    assert {
        "pfe-statistics": {
            "pfe-traffic-statistics": traffic,
            "pfe-drop-statistics": {"drop": DROPS},
        }
    } == pfe_statistics(COUNTERS)


def test_statistics_of_ports() -> None:
    link = Link(name="ge-0/0/0", up=True, spec="unix:/x")

    assert {
        "port-statistics": {
            "port": [
                {
                    "port-name": "ge-0/0/0",
                    "link-status": "Up",
                    "port-specification": "unix:/x",
                    "port-error": "",
                    "input-packets": "1",
                    "input-bytes": "2",
                    "output-packets": "3",
                    "output-bytes": "4",
                    "drop": DROPS,
                }
            ]
        }
    } == port_statistics([(link, COUNTERS)])

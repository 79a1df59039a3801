"""Layouts of `show route` and `show route forwarding-table` (reference: junos.md 3.3)."""

from __future__ import annotations

from jsupervisor.cli.render.routes import forwarding_table, route
from jsupervisor.initproto import Json


def entry(protocol: str, preference: str, age: str, **more: Json) -> dict[str, Json]:
    return {
        "active-tag": "*",
        "protocol-name": protocol,
        "preference": preference,
        "age": age,
        **more,
    }


def nh(via: str, to: str = "") -> Json:
    hop: dict[str, Json] = {"selected-next-hop": "", "via": via}
    return {**hop, "to": to} if to else hop


def table(name: str, *routes: tuple[str, list[Json]]) -> Json:
    return {
        "table-name": name,
        "destination-count": str(len(routes)),
        "total-route-count": str(len(routes)),
        "active-route-count": str(len(routes)),
        "holddown-route-count": "0",
        "hidden-route-count": "0",
        "rt": [{"rt-destination": destination, "rt-entry": all_} for destination, all_ in routes],
    }


def test_route() -> None:
    static = entry("Static", "5", "3w5d 18:30:36", nh=[nh("fxp0.0", "198.51.100.254")])
    other = {**entry("Static", "7", "00:00:01", **{"nh-type": "Discard"}), "active-tag": " "}
    direct = entry("Direct", "0", "3w5d 18:30:36", nh=nh("ge-0/0/0.0"))
    local = entry("Local", "0", "3w5d 18:30:36", nh=[{"nh-local-interface": "ge-0/0/0.0"}])
    bgp = entry(
        "BGP",
        "170",
        "3w2d 04:19:15",
        **{
            "metric": "1",
            "local-preference": "100",
            "learned-from": "203.0.113.2",
            "as-path": "64501 I, validation-state: unverified",
            "nh": [nh("ge-0/0/0.0", "192.0.2.2"), {"to": "192.0.2.3", "via": "ge-0/0/0.0"}],
        },
    )
    data: Json = {
        "route-information": {
            "route-table": [
                table(
                    "inet.0",
                    ("0.0.0.0/0", [static, other]),
                    ("192.0.2.0/24", [direct]),
                    ("192.0.2.1/32", [local]),
                    ("10.10.0.0/16", [bgp]),
                ),
                table("inet6.0", ("2001:db8:0:1::/64", [direct]), ("2001:db8:0:12::/64", [direct])),
            ]
        }
    }

    assert route(data) == (
        "inet.0: 4 destinations, 4 routes (4 active, 0 holddown, 0 hidden)\n"
        "+ = Active Route, - = Last Active, * = Both\n"
        "\n"
        "0.0.0.0/0          *[Static/5] 3w5d 18:30:36\n"
        "                    >  to 198.51.100.254 via fxp0.0\n"
        "                    [Static/7] 00:00:01\n"
        "                       Discard\n"
        "192.0.2.0/24       *[Direct/0] 3w5d 18:30:36\n"
        "                    >  via ge-0/0/0.0\n"
        "192.0.2.1/32       *[Local/0] 3w5d 18:30:36\n"
        "                       Local via ge-0/0/0.0\n"
        "10.10.0.0/16       *[BGP/170] 3w2d 04:19:15, metric 1, localpref 100, from 203.0.113.2\n"
        "                      AS path: 64501 I, validation-state: unverified\n"
        "                    >  to 192.0.2.2 via ge-0/0/0.0\n"
        "                       to 192.0.2.3 via ge-0/0/0.0\n"
        "\n"
        "inet6.0: 2 destinations, 2 routes (2 active, 0 holddown, 0 hidden)\n"
        "+ = Active Route, - = Last Active, * = Both\n"
        "\n"
        "2001:db8:0:1::/64  *[Direct/0] 3w5d 18:30:36\n"
        "                    >  via ge-0/0/0.0\n"
        "2001:db8:0:12::/64 *[Direct/0] 3w5d 18:30:36\n"
        "                    >  via ge-0/0/0.0\n"
    )


def test_a_destination_longer_than_its_column_has_a_line_of_its_own() -> None:
    reject = entry("Static", "5", "00:00:01", **{"nh-type": "Reject"})
    data: Json = {
        "route-information": {
            "route-table": [table("inet6.0", ("2001:db8:1:2:3:4::/96", [reject]))]
        }
    }

    assert [
        "2001:db8:1:2:3:4::/96",
        "                   *[Static/5] 00:00:01",
        "                       Reject",
    ] == route(data).splitlines()[3:]


def test_no_routes_are_no_text() -> None:
    assert "" == route({"route-information": {"route-table": []}})


def forwarding(destination: str, kind: str, **hop: str) -> Json:
    return {
        "rt-destination": destination,
        "destination-type": kind,
        "route-reference-count": "0",
        "nh": [{key.replace("_", "-"): value for key, value in hop.items()}],
    }


def test_forwarding_table() -> None:
    via = "ge-0/0/0.0"
    entries = [
        forwarding("default", "perm", nh_type="rjct", nh_index="36", nh_reference_count="1"),
        forwarding(
            "192.0.2.0/24", "intf", nh_type="rslv", nh_index="573", nh_reference_count="1", via=via
        ),
        forwarding(
            *("192.0.2.1/32", "intf"),
            to="192.0.2.1",
            nh_type="locl",
            nh_index="572",
            nh_reference_count="2",
        ),
        forwarding(
            *("10.10.0.0/16", "user"),
            to="192.0.2.2",
            nh_type="ucst",
            nh_index="578",
            nh_reference_count="4",
            via=via,
        ),
    ]
    table: Json = {
        "table-name": "default.inet",
        "address-family": "inet",
        "enabled-protocols": "Bridging,",
        "rt-entry": entries,
    }

    assert forwarding_table({"forwarding-table-information": {"route-table": [table]}}) == (
        "Routing table: default.inet\n"
        "Internet:\n"
        "Enabled protocols: Bridging,\n"
        "Destination        Type RtRef Next hop           Type Index    NhRef Netif\n"
        "default            perm     0                    rjct       36     1\n"
        "192.0.2.0/24       intf     0                    rslv      573     1 ge-0/0/0.0\n"
        "192.0.2.1/32       intf     0 192.0.2.1          locl      572     2\n"
        "10.10.0.0/16       user     0 192.0.2.2          ucst      578     4 ge-0/0/0.0\n"
    )


def test_columns_grow_with_ipv6() -> None:
    long = forwarding(
        *("2001:db8:1:2:3:4:5:6/128", "user"),
        to="2001:db8:1:2:3:4:5:7",
        nh_type="ucst",
        nh_index="2704822018",
    )
    table: Json = {"table-name": "default.inet6", "address-family": "inet6", "rt-entry": [long]}
    lines = forwarding_table(
        {"forwarding-table-information": {"route-table": [table, table]}}
    ).splitlines()

    assert ["Routing table: default.inet6", "Internet6:"] == lines[:2]
    assert "Destination              Type RtRef Next hop             Type" == lines[2][:61]
    assert "2001:db8:1:2:3:4:5:6/128 user     0 2001:db8:1:2:3:4:5:7 ucst 2704822018" == lines[3]
    assert "" == lines[4]

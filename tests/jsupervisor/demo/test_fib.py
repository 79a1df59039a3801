"""Exactly the intended part of a forwarding table may change."""

from __future__ import annotations

import pytest

from jsupervisor.demo.fib import Entry, compare, network, parse, problems
from jsupervisor.initproto import Json

ANSWER: Json = {
    "forwarding-table-information": {
        "route-table": [
            {
                "table-name": "default.inet",
                "rt-entry": [
                    {
                        "rt-destination": "10.30.0.0/16",
                        "destination-type": "user",
                        "nh": [
                            {
                                "to": "198.51.100.2",
                                "nh-type": "ucst",
                                "nh-index": "578",
                                "via": "ge-0/0/1.0",
                            }
                        ],
                    },
                    {"rt-destination": "default", "nh": [{"nh-type": "rjct", "nh-index": "36"}]},
                ],
            }
        ]
    }
}
STATIC = Entry("default.inet", "10.30.0.0/16", "ucst", "198.51.100.2", "ge-0/0/1.0")
DEFAULT = Entry("default.inet", "default", "rjct", "", "")
PORT = Entry("default.inet", "203.0.113.0/24", "rslv", "", "ge-0/0/2.0")
LOCAL = Entry("default.inet", "203.0.113.1/32", "locl", "203.0.113.1", "")


def test_a_table_is_read_without_what_may_change_freely() -> None:
    assert {STATIC, DEFAULT} == parse(ANSWER)


@pytest.mark.parametrize(
    "answer", [None, [], {"forwarding-table-information": 3}, {"forwarding-table-information": {}}]
)
def test_nonsense_is_an_empty_table(answer: Json) -> None:
    assert frozenset() == parse(answer)


def test_a_change_that_came_alone_is_right() -> None:
    difference = compare(frozenset({DEFAULT}), frozenset({DEFAULT, STATIC}))

    assert [] == problems(difference, "10.30.0.0/16", True)
    assert ["10.30.0.0/16"] == difference.destinations


def test_a_change_that_went_with_all_below_it_is_right() -> None:
    difference = compare(frozenset({DEFAULT, PORT, LOCAL}), frozenset({DEFAULT}))

    assert [] == problems(difference, "203.0.113.0/24", False)


def test_a_change_that_did_not_come_is_wrong() -> None:
    nothing = compare(frozenset({DEFAULT}), frozenset({DEFAULT}))

    assert ["10.30.0.0/16 did not come"] == problems(nothing, "10.30.0.0/16", True)
    assert ["10.30.0.0/16 did not go"] == problems(nothing, "10.30.0.0/16", False)


def test_anything_else_that_changed_is_wrong() -> None:
    difference = compare(frozenset({DEFAULT}), frozenset({STATIC}))

    assert ["default changed too", "10.30.0.0/16 lost an entry"] == problems(
        difference, "10.30.0.0/16", True
    )


def test_destinations_are_read_as_junos_prints_them() -> None:
    assert "0.0.0.0/0" == str(network("default"))
    assert "203.0.113.1/32" == str(network("203.0.113.1"))
    assert "2001:db8::/32" == str(network("2001:db8::/32"))

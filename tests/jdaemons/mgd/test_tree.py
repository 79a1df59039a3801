"""Statements to a tree by the schema, and every way in which they do not fit."""

from __future__ import annotations

import pytest

from jdaemons.mgd.syntax import Place
from jdaemons.mgd.tree import active, branch, read

UNIT = "interfaces { ge-0/0/0 { unit 0 { %s } } }"


def unit(statements: str) -> str:
    return UNIT % statements


def test_statements_become_nested_dicts() -> None:
    reading = read(
        "system { host-name r1; } interfaces { ge-0/0/0 { disable; mtu 1500;"
        " unit 0 { family inet { address 192.0.2.1/24; address 192.0.2.2/24; } } } }"
    )

    assert [] == reading.problems
    assert {
        "system": {"host-name": "r1"},
        "interfaces": {
            "ge-0/0/0": {
                "disable": True,
                "mtu": "1500",
                "unit": {"0": {"family": {"inet": {"address": ["192.0.2.1/24", "192.0.2.2/24"]}}}},
            }
        },
    } == reading.tree


@pytest.mark.parametrize(
    "text",
    [
        "interfaces ge-0/0/0 unit 0 family inet address 192.0.2.1/24;",
        "interfaces { ge-0/0/0 unit 0 { family inet address 192.0.2.1/24; } }",
        "interfaces { ge-0/0/0 { unit 0 { family inet { address 192.0.2.1/24; } } } }",
        "interfaces lo0; interfaces ge-0/0/0 unit 0 family inet address [ 192.0.2.1/24 192.0.2.1/24 ];",
    ],
)
def test_one_line_and_braces_and_pieces_mean_the_same(text: str) -> None:
    reading = read(text)

    assert [] == reading.problems
    assert ["192.0.2.1/24"] == branch(
        reading.tree, "interfaces", "ge-0/0/0", "unit", "0", "family", "inet"
    )["address"]


def test_the_last_of_two_values_counts() -> None:
    reading = read("system { host-name a; host-name b; }")

    assert {"system": {"host-name": "b"}} == reading.tree


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        (
            "sistem { }",
            1,
            "syntax error at 'sistem', expecting version, system, interfaces, routing-options",
        ),
        ("system { host-nam r1; }", 10, "syntax error at 'host-nam', expecting host-name"),
        ("system { host-name; }", 10, "missing argument: 'host-name' needs a value"),
        ("system { host-name a b; }", 22, "'host-name' takes one value"),
        ("system { host-name a { } }", 10, "'host-name' takes no braces"),
        ("system;", 1, "'system' needs braces behind it"),
        ("protect: system { }", 1, "'protect:' is not supported: leave it out"),
        ("[ system ] { }", 3, "syntax error at '[', before 'system'"),
        ("interfaces { [ lo0 ] { } }", 16, "syntax error at '[', before 'lo0'"),
        ("interfaces { lo0 { unit; } }", 20, "'unit' needs a name behind it"),
        ("interfaces { lo0 { disable now; } }", 28, "'disable' takes no value"),
        (
            unit("family mpls;"),
            41,
            "syntax error at 'mpls', expecting inet, inet6",
        ),
        (
            unit("family inet { address 192.0.2.1/24 192.0.2.2/24; }"),
            69,
            "'address' takes one value: put several into square brackets",
        ),
        (
            "routing-options { rib inet.3 { } }",
            23,
            "syntax error at 'inet.3', expecting inet6.0",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(text: str, column: int, message: str) -> None:
    problems = read(text).problems

    assert [(Place(1, column), message)] == [(each.place, each.message) for each in problems]


def test_all_mistakes_are_told_not_only_the_first() -> None:
    reading = read("system { host-name r 1; x; }\ninterfaces { ge-9 { } }\nfoo;")

    assert [1, 1, 2, 3] == [each.place.line for each in reading.problems if each.place]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("inactive: system { host-name r1; }", ("system",)),
        ("system { inactive: host-name r1; }", ("system", "host-name")),
        ("interfaces { inactive: ge-0/0/0 { mtu 1500; } }", ("interfaces", "ge-0/0/0")),
        (
            unit("inactive: family inet { address 192.0.2.1/24; }"),
            ("interfaces", "ge-0/0/0", "unit", "0", "family", "inet"),
        ),
        (
            unit("family inet { inactive: address 192.0.2.1/24; }"),
            ("interfaces", "ge-0/0/0", "unit", "0", "family", "inet", "address", "192.0.2.1/24"),
        ),
        (
            "routing-options { static { inactive: route 10.0.0.0/8 discard; } }",
            ("routing-options", "static", "route", "10.0.0.0/8"),
        ),
    ],
)
def test_inactive_means_what_the_statement_opens_with(text: str, path: tuple[str, ...]) -> None:
    reading = read(text)

    assert [] == reading.problems
    assert {path} == reading.inactive


def test_a_statement_without_inactive_takes_it_back() -> None:
    reading = read("inactive: system { host-name a; } system { host-name b; }")

    assert set() == reading.inactive


def test_the_active_tree_lacks_what_is_inactive_and_nothing_else() -> None:
    reading = read(
        "system { inactive: host-name r1; } interfaces { inactive: lo0 { unit 0; }"
        " ge-0/0/0 { mtu 1500; unit 0 { family inet { inactive: address 192.0.2.1/24;"
        " address 192.0.2.2/24; } family inet6 { inactive: address 2001:db8::1/64; } } } }"
    )
    families = {"inet": {"address": ["192.0.2.2/24"]}, "inet6": {}}

    assert {
        "system": {},
        "interfaces": {"ge-0/0/0": {"mtu": "1500", "unit": {"0": {"family": families}}}},
    } == active(reading.tree, reading.inactive)


def test_a_branch_that_is_not_there_is_empty() -> None:
    assert {} == branch({"a": {"b": "c"}}, "a", "b", "c")
    assert {} == branch({}, "a")

"""Canonical text: Junos' layout, and reading it gives the same configuration again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jdaemons.mgd.candidate import Candidate, examine
from jdaemons.mgd.check import check
from jdaemons.mgd.render import render

MARKS = st.sampled_from(["", "inactive: "])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@st.composite
def families(draw: st.DrawFn, link: int) -> str:
    hosts = draw(st.lists(st.integers(1, 6), max_size=3, unique=True))
    inet = " ".join(f"{draw(MARKS)}address 10.0.{link}.{host}/29;" for host in hosts)
    inet6 = " ".join(f"{draw(MARKS)}address 2001:db8:{link}::{host}/64;" for host in hosts)
    return f"{draw(MARKS)}family inet {{ {inet} }} {draw(MARKS)}family inet6 {{ {inet6} }}"


@st.composite
def interfaces(draw: st.DrawFn, port: int) -> str:
    statements = [f"description {quoted(draw(WORDS))};"]
    statements += draw(st.sampled_from([[], ["disable;"], ["mtu 1500;"], ["inactive: mtu 9000;"]]))
    for unit in draw(st.lists(st.integers(0, 3), max_size=2, unique=True)):
        statements.append(f"{draw(MARKS)}unit {unit} {{ {draw(families(port * 4 + unit))} }}")
    return f"{draw(MARKS)}ge-0/0/{port} {{ {' '.join(statements)} }}"


@st.composite
def routes(draw: st.DrawFn, number: int) -> str:
    hops = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    hop = " ".join(f"192.0.2.{each}" for each in hops)
    action = draw(st.sampled_from(["discard;", "reject;", f"next-hop [ {hop} ];"]))
    more = draw(st.sampled_from(["", "preference 7;", "inactive: preference 8;"]))
    return f"{draw(MARKS)}route 10.{number}.0.0/16 {{ {action} {more} }}"


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """Texts without a fault, with inactive statements in them."""
    ports = draw(st.lists(st.integers(0, 9), max_size=3, unique=True))
    ifds = " ".join(draw(interfaces(port)) for port in ports)
    statics = " ".join(draw(routes(number)) for number in range(draw(st.integers(0, 3))))
    name = draw(st.sampled_from(["", "host-name r1;"]))
    return (
        f"system {{ {name} }} interfaces {{ {ifds} }} routing-options {{ static {{ {statics} }} }}"
    )


def canonical(text: str) -> str:
    reading = check(text)
    assert [] == reading.problems
    return render(reading.tree, reading.inactive)


def test_the_layout_is_that_of_junos() -> None:
    text = canonical(
        "routing-options{static{route 0.0.0.0/0 next-hop 192.0.2.2;route 10.0.0.0/8"
        "{next-hop [192.0.2.2 192.0.2.3];preference 7;} inactive: route 11.0.0.0/8 discard;}}"
        "interfaces{ge-0/0/0{unit 0{family inet{address 192.0.2.1/24;} family inet6;}"
        'inactive: mtu 9000;description "to the left";}}system{host-name r1;}'
    )

    assert (
        """\
system {
    host-name r1;
}
interfaces {
    ge-0/0/0 {
        description "to the left";
        inactive: mtu 9000;
        unit 0 {
            family inet {
                address 192.0.2.1/24;
            }
            family inet6;
        }
    }
}
routing-options {
    static {
        route 0.0.0.0/0 next-hop 192.0.2.2;
        route 10.0.0.0/8 {
            next-hop [ 192.0.2.2 192.0.2.3 ];
            preference 7;
        }
        inactive: route 11.0.0.0/8 discard;
    }
}
"""
        == text
    )


def test_next_hops_of_which_one_is_inactive_are_written_apart() -> None:
    text = canonical(
        "routing-options { static { route 10.0.0.0/8 {"
        " next-hop [ 192.0.2.1 192.0.2.2 ]; inactive: next-hop 192.0.2.3; } } }"
    )

    assert [
        "            next-hop [ 192.0.2.1 192.0.2.2 ];",
        "            inactive: next-hop 192.0.2.3;",
    ] == text.splitlines()[3:5]


def test_a_block_with_nothing_in_it_is_left_out_unless_that_means_something() -> None:
    assert "interfaces {\n    lo0;\n}\n" == canonical("system { } interfaces { lo0 { } }")


@given(configurations())
def test_reading_what_was_rendered_gives_the_same_configuration(text: str) -> None:
    once = examine(text)
    assert isinstance(once, Candidate)

    assert once == examine(once.text)

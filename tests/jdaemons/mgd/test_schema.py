"""The schema is data that can be walked: every statement of it is named once, in Junos' words."""

from __future__ import annotations

from collections.abc import Iterator

from jdaemons.mgd.schema import ANY, SCHEMA, Block, Keyed


def statements(block: Block, path: str = "") -> Iterator[str]:
    for name, member in block.members.items():
        here = f"{path} {'<name>' if name == ANY else name}".strip()
        if isinstance(member, Block):
            yield from statements(member, here)
        elif isinstance(member, Keyed) and member.words:
            for word, inner in member.words.items():
                yield from statements(inner, f"{here} {word}")
        elif isinstance(member, Keyed):
            key = here if name == ANY else f"{here} <{member.kind}>"
            yield from statements(member.block, key)
        else:
            yield here


def test_these_are_the_statements_that_there_are() -> None:
    static = ("next-hop", "discard", "reject", "preference")
    inet = "routing-options static route <inet-prefix>"
    inet6 = "routing-options rib inet6.0 static route <inet6-prefix>"
    expected = {
        "version",
        "system host-name",
        "interfaces <name> description",
        "interfaces <name> disable",
        "interfaces <name> mtu",
        "interfaces <name> unit <unit> description",
        "interfaces <name> unit <unit> disable",
        "interfaces <name> unit <unit> family inet address",
        "interfaces <name> unit <unit> family inet6 address",
        *(f"{inet} {leaf}" for leaf in static),
        *(f"{inet6} {leaf}" for leaf in static),
    }

    assert expected == set(statements(SCHEMA))

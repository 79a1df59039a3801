"""Modules in their groups."""

from __future__ import annotations

from jsupervisor.jlaunchd.groups import Group
from jsupervisor.top.tree import Branch, arrange

FORWARDING = Group(name="forwarding", members=("pfe0", "pfectl0"), strategy="one_for_all")
ALL = Group(name="all", members=("forwarding", "rpd"))


def shown(lines: list[Branch]) -> list[str]:
    return [">" * line.depth + line.name for line in lines]


def test_without_groups_there_is_the_order_of_the_profile() -> None:
    assert ["rpd", "dcd"] == shown(arrange(["rpd", "dcd"], []))


def test_a_group_stands_where_its_first_module_would() -> None:
    lines = arrange(["mgd", "pfe0", "rpd", "pfectl0"], [FORWARDING])

    assert ["mgd", "forwarding", ">pfe0", ">pfectl0", "rpd"] == shown(lines)


def test_groups_stand_in_groups() -> None:
    lines = arrange(["rpd", "mgd", "pfe0", "pfectl0"], [FORWARDING, ALL])

    assert ["all", ">forwarding", ">>pfe0", ">>pfectl0", ">rpd", "mgd"] == shown(lines)
    assert ("pfe0", "pfectl0", "rpd") == lines[0].modules


def test_members_that_do_not_run_here_have_no_line() -> None:
    assert ["forwarding", ">pfe0"] == shown(arrange(["pfe0"], [FORWARDING]))
    assert [] == arrange([], [FORWARDING])

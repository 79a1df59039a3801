"""The tree of groups: who restarts with whom, and who starts before whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.jlaunchd.groups import STRATEGIES, Group, Strategy, Tree

PROGRAMS = ("a", "b", "c", "d", "e", "f")


def tree(outer: Strategy = "one_for_one", inner: Strategy = "one_for_one") -> Tree:
    """outer = a, inner(b, c, d), e; f stands alone."""
    return Tree(
        PROGRAMS,
        (
            Group(name="outer", members=("a", "inner", "e"), strategy=outer),
            Group(name="inner", members=("b", "c", "d"), strategy=inner),
        ),
    )


@pytest.mark.parametrize(
    ("outer", "inner", "member", "affected"),
    [
        ("one_for_one", "one_for_one", "b", "b"),
        ("one_for_one", "one_for_all", "b", "bcd"),
        ("one_for_one", "one_for_all", "d", "bcd"),
        ("one_for_one", "rest_for_one", "b", "bcd"),
        ("one_for_one", "rest_for_one", "c", "cd"),
        ("one_for_one", "rest_for_one", "d", "d"),
        ("one_for_all", "one_for_one", "b", "b"),
        ("one_for_all", "one_for_one", "a", "abcde"),
        ("one_for_all", "one_for_one", "inner", "abcde"),
        ("rest_for_one", "one_for_one", "inner", "bcde"),
        ("rest_for_one", "one_for_one", "e", "e"),
        ("rest_for_one", "one_for_one", "a", "abcde"),
        ("one_for_one", "one_for_one", "inner", "bcd"),
        ("one_for_all", "one_for_all", "outer", "abcde"),
        ("one_for_all", "one_for_all", "f", "f"),
    ],
)
def test_the_strategy_says_who_restarts_with_the_one_that_failed(
    outer: Strategy, inner: Strategy, member: str, affected: str
) -> None:
    assert tuple(affected) == tree(outer, inner).affected(member)


@pytest.mark.parametrize(
    ("outer", "inner", "program", "earlier"),
    [
        ("one_for_one", "one_for_one", "e", ""),
        ("rest_for_one", "one_for_one", "e", "abcd"),
        ("rest_for_one", "one_for_one", "c", "a"),
        ("rest_for_one", "rest_for_one", "c", "ab"),
        ("one_for_all", "one_for_all", "d", "abc"),
        ("one_for_one", "one_for_all", "d", "bc"),
        ("one_for_all", "one_for_all", "a", ""),
        ("one_for_all", "one_for_all", "f", ""),
    ],
)
def test_members_of_a_group_that_restarts_together_start_in_its_order(
    outer: Strategy, inner: Strategy, program: str, earlier: str
) -> None:
    assert frozenset(earlier) == tree(outer, inner).earlier(program)


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_in_a_group_without_an_order_nobody_waits_for_who_stands_before(strategy: Strategy) -> None:
    group = Group(name="g", members=("a", "b"), strategy=strategy, ordered=False)

    assert frozenset() == Tree(PROGRAMS, (group,)).earlier("b")


def test_a_program_knows_the_groups_around_it_inner_first() -> None:
    assert [("c", "inner"), ("inner", "outer")] == [
        (member, group.name) for member, group in tree().ancestors("c")
    ]
    assert [] == list(tree().ancestors("f"))


def test_a_group_stands_for_its_programs_in_their_order() -> None:
    assert ("a", "b", "c", "d", "e") == tree().programs("outer")
    assert ("f",) == tree().programs("f")


@given(
    outer=st.sampled_from(STRATEGIES),
    inner=st.sampled_from(STRATEGIES),
    member=st.sampled_from([*PROGRAMS, "inner", "outer"]),
)
def test_whoever_fails_is_among_those_who_restart_and_nobody_twice(
    outer: Strategy, inner: Strategy, member: str
) -> None:
    found = tree(outer, inner)
    affected = found.affected(member)

    assert set(found.programs(member)) <= set(affected)
    assert len(affected) == len(set(affected))
    assert [p for p in PROGRAMS if p in affected] == list(affected)

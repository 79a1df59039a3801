"""[group.NAME] and policies in files: what is meant, and the line that a bad one gets."""

from __future__ import annotations

import pytest

from jsupervisor.jlaunchd.groupreader import read_groups, read_policy
from jsupervisor.jlaunchd.groups import Group
from jsupervisor.jlaunchd.policy import POLICIES, Backoff, RestartPolicy
from jsupervisor.jlaunchd.profile import parse_toml
from jsupervisor.jlaunchd.reader import PlanError, Section


def top(text: str) -> Section:
    """A document."""
    return Section("FILE", "", parse_toml(text, "FILE"))


def test_groups_may_stand_in_groups() -> None:
    groups = read_groups(
        top(
            '[group.out]\nmembers = ["a", "in"]\nstrategy = "one_for_all"\n'
            '[group.in]\nmembers = ["b"]\nstrategy = "rest_for_one"\n'
        ),
        ["a", "b"],
    )

    assert (
        Group(name="out", members=("a", "in"), strategy="one_for_all"),
        Group(name="in", members=("b",), strategy="rest_for_one"),
    ) == groups


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[group.g]\nmembers = ["x"]', "group.g.members: 'x' is not a program"),
        ("[group.a]", "group.a: there is a program of that name"),
        ('[group.g]\nmembers = ["g"]', "group: these stand in one another: g"),
        (
            '[group.g]\nmembers = ["h"]\n[group.h]\nmembers = ["g"]',
            "group: these stand in one another: g, h",
        ),
        ('[group.g]\nmembers = ["a", "a"]', "group.g.members: 'a' is in another group already"),
        ('[group.g]\non_thrash = "pray"', "group.g.on_thrash: 'pray' is not one of hold, escalate"),
        ('[group.g]\npolicy = "x"', "group.g.policy: 'x' is not one of junos, "),
        ("[group.g]\nbackoff = { initial = -1 }", "group.g.backoff.initial: -1 is not between"),
        ("[group.g]\ncolour = 1", "group.g.colour: unknown key; known are backoff, intensity,"),
    ],
)
def test_every_error_names_file_and_key(text: str, why: str) -> None:
    with pytest.raises(PlanError, match=f"^cannot use profile FILE: {why}"):
        read_groups(top(text), ["a", "b"])


def test_single_numbers_change_a_named_policy() -> None:
    policy = read_policy(top('policy = "never-give-up"\nperiod = 5\non_thrash = "hold"'))

    assert RestartPolicy(None, 5.0, POLICIES["never-give-up"].backoff) == policy


def test_a_back_off_is_said_whole() -> None:
    assert RestartPolicy(3, 30.0, Backoff(0.5, 2.0, 5.0)) == read_policy(
        top("backoff = { initial = 0.5 }")
    )

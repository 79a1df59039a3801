"""Policies as messages."""

from __future__ import annotations

import pytest

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.jlaunchd.policy import POLICIES, Backoff, RestartPolicy
from jsupervisor.jlaunchd.rules import describe, message_of, policy_of


def test_a_message_says_all_of_a_policy() -> None:
    rule = pb.Policy(
        intensity=0,
        period=60,
        backoff=pb.Backoff(initial=0.1, factor=3, cap=2, jitter=1, reset=7),
        on_thrash="escalate",
    )

    assert RestartPolicy(0, 60.0, Backoff(0.1, 3.0, 2.0, 1.0, 7.0), "escalate") == policy_of(rule)


def test_an_intensity_that_is_not_set_forgives_all() -> None:
    assert policy_of(pb.Policy(period=1)).intensity is None


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (pb.Policy(intensity=100), "intensity: 100 is not a whole number from 0 to 99"),
        (pb.Policy(period=-1), "period: -1 is not between 0 and 86400"),
        (pb.Policy(period=float("nan")), "period: nan is not between"),
        (pb.Policy(period=float("inf")), "period: inf is not between"),
        (pb.Policy(backoff=pb.Backoff(jitter=2)), "backoff.jitter: 2 is not between 0 and 1"),
        (pb.Policy(backoff=pb.Backoff(factor=0.5)), "backoff.factor: 0.5 is not between 1 and"),
        (pb.Policy(on_thrash="x"), "on_thrash: 'x' is not one of hold, escalate, "),
    ],
)
def test_numbers_out_of_bounds_are_refused_by_name(rule: pb.Policy, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        policy_of(rule)


@pytest.mark.parametrize("name", POLICIES)
def test_a_known_policy_is_shown_by_its_name(name: str) -> None:
    assert name == describe(POLICIES[name])


def test_another_is_shown_by_its_numbers() -> None:
    assert "5 in 2.5 s" == describe(RestartPolicy(5, 2.5))
    assert "no limit" == describe(RestartPolicy(None, 2.5))


@pytest.mark.parametrize("policy", POLICIES.values())
def test_a_policy_comes_out_of_its_message_as_it_was(policy: RestartPolicy) -> None:
    assert policy == policy_of(message_of(policy))

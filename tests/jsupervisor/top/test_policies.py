"""Policies in one line."""

from __future__ import annotations

from jsupervisor.jlaunchd.policy import POLICIES, Backoff, RestartPolicy
from jsupervisor.top.policies import meaning


def test_the_named_policies_are_told_apart() -> None:
    assert {
        "junos": "3 in 30 s, then hold; restarts at once",
        "never-give-up": "forgives everything; waits 0 to 5 s",
        "erlang": "1 in 5 s, then escalate; restarts at once",
        "systemd": "4 in 10 s, then hold; waits 0.1 s",
    } == {name: meaning(policy) for name, policy in POLICIES.items()}


def test_a_growing_delay_is_told_with_both_ends() -> None:
    policy = RestartPolicy(intensity=None, backoff=Backoff(initial=0.5, cap=8.0))

    assert "forgives everything; waits 0.5 to 8 s" == meaning(policy)

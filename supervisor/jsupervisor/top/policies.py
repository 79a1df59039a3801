"""A restart policy in one line. Pure."""

from __future__ import annotations

from jsupervisor.jlaunchd.policy import Backoff, RestartPolicy


def meaning(policy: RestartPolicy) -> str:
    """How many failures it forgives, how long it waits, and what follows."""
    if policy.intensity is None:
        forgiven = "forgives everything"
    else:
        forgiven = f"{policy.intensity} in {policy.period:g} s, then {policy.on_thrash}"
    return f"{forgiven}; {_delay(policy.backoff)}"


def _delay(backoff: Backoff) -> str:
    if backoff.cap <= 0:
        return "restarts at once"
    if backoff.initial >= backoff.cap:
        return f"waits {backoff.cap:g} s"
    return f"waits {backoff.initial:g} to {backoff.cap:g} s"

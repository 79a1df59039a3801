"""Restart policies as messages: in from an operator, out to one; numbers are checked as in a profile."""

from __future__ import annotations

import math
from typing import Final

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.jlaunchd.policy import POLICIES, REMEMBERED, THRASH, Backoff, RestartPolicy

DAY: Final = 86400.0


def policy_of(rule: pb.Policy) -> RestartPolicy:
    """The policy that a message says; raises ValueError that names the field."""
    intensity = rule.intensity if rule.HasField("intensity") else None
    if intensity is not None and intensity >= REMEMBERED:
        raise ValueError(f"intensity: {intensity} is not a whole number from 0 to {REMEMBERED - 1}")
    backoff = rule.backoff
    on_thrash = next((word for word in THRASH if word == (rule.on_thrash or "hold")), None)
    if on_thrash is None:
        raise ValueError(f"on_thrash: {rule.on_thrash!r} is not one of {', '.join(THRASH)}")
    return RestartPolicy(
        intensity=intensity,
        period=_within("period", rule.period, 0.0, DAY),
        backoff=Backoff(
            initial=_within("backoff.initial", backoff.initial, 0.0, DAY),
            factor=_within("backoff.factor", backoff.factor or 2.0, 1.0, DAY),
            cap=_within("backoff.cap", backoff.cap, 0.0, DAY),
            jitter=_within("backoff.jitter", backoff.jitter, 0.0, 1.0),
            reset=_within("backoff.reset", backoff.reset, 0.0, DAY),
        ),
        on_thrash=on_thrash,
    )


def message_of(policy: RestartPolicy) -> pb.Policy:
    """The message that says this policy."""
    backoff = policy.backoff
    return pb.Policy(
        intensity=policy.intensity,
        period=policy.period,
        backoff=pb.Backoff(
            initial=backoff.initial,
            factor=backoff.factor,
            cap=backoff.cap,
            jitter=backoff.jitter,
            reset=backoff.reset,
        ),
        on_thrash=policy.on_thrash,
    )


def describe(policy: RestartPolicy) -> str:
    """A policy's name, or its numbers: "3 in 30 s"."""
    for name, known in POLICIES.items():
        if policy == known:
            return name
    if policy.intensity is None:
        return "no limit"
    return f"{policy.intensity} in {policy.period:g} s"


def _within(field: str, value: float, least: float, most: float) -> float:
    if not math.isfinite(value) or not least <= value <= most:
        raise ValueError(f"{field}: {value:g} is not between {least:g} and {most:g}")
    return value

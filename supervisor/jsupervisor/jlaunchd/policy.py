"""What to do about a failure: a pure function, in OTP's words.

Intensity and period as in Erlang/OTP's supervisor: more than `intensity` failures within `period`
seconds and it is given up. Junos' rule (four failures within 30 s) is intensity 3, period 30
(reference: the `processes` statement of its documentation). Back-off is what OTP lacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Thrash = Literal["hold", "escalate", "alternate-media", "other-routing-engine"]
THRASH: Final[tuple[Thrash, ...]] = (
    "hold",
    "escalate",
    "alternate-media",
    "other-routing-engine",
)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays between restarts, in seconds: `initial`, then times `factor`, never above `cap`.

    Without arguments there is no delay, which is Junos' way.
    """

    initial: float = 0.0
    factor: float = 2.0
    cap: float = 0.0
    jitter: float = 0.0
    """0 to 1: the share of the delay that is drawn at random; 1 is full jitter."""
    reset: float = 10.0
    """A module that was ready for so many seconds was healthy: its next failure is the first again."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a failed module is started again, and when no more."""

    intensity: int | None = 3
    """Failures forgiven within the period; None forgives all."""
    period: float = 30.0
    backoff: Backoff = Backoff()
    on_thrash: Thrash = "hold"
    """What happens beyond the intensity: hold it down, let the group above decide, or fail over."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says of one failure."""

    restart: bool
    delay: float
    failures: tuple[float, ...]
    """The failures that still count, this one included."""


POLICIES: Final[Mapping[str, RestartPolicy]] = {
    "junos": RestartPolicy(intensity=3, period=30.0),
    "never-give-up": RestartPolicy(intensity=None, backoff=Backoff(0.0, 2.0, 5.0, reset=1.0)),
    "erlang": RestartPolicy(intensity=1, period=5.0, on_thrash="escalate"),
    "systemd": RestartPolicy(intensity=4, period=10.0, backoff=Backoff(0.1, 1.0, 0.1)),
}

REMEMBERED: Final = 100
"""Failures that are kept at most, so that a module's record stays small; no intensity is above it."""

FIRST_STEP: Final = 0.05
"""What a back-off that begins at zero grows from, in seconds."""


def judge(
    policy: RestartPolicy, failures: Sequence[float], now: float, streak: int, draw: float = 0.0
) -> Verdict:
    """Judge a failure at `now` after the earlier `failures` (times in seconds, rising).

    `streak`, from 1, is the how-manieth failure in a row without a healthy run between them; it sets
    the delay. `draw`, from 0 up to 1, is the random number that jitter uses.
    """
    window = (*(time for time in failures if now - time < policy.period), now)
    restart = policy.intensity is None or len(window) <= policy.intensity
    window = window[-REMEMBERED:]
    return Verdict(restart, _delay(policy.backoff, streak, draw), window)


def _delay(backoff: Backoff, failures: int, draw: float) -> float:
    """The delay before the restart that follows the n-th failure in a row, n from 1."""
    full = backoff.initial
    for _ in range(1, failures):
        full = full * backoff.factor or FIRST_STEP
        if full >= backoff.cap:
            break
    return min(full, backoff.cap) * (1 - backoff.jitter * draw)

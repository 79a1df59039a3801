"""When a failed module is started again, after how long, and when no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.jlaunchd.policy import (
    FIRST_STEP,
    POLICIES,
    REMEMBERED,
    Backoff,
    RestartPolicy,
    Verdict,
    judge,
)

JUNOS = POLICIES["junos"]


def history(policy: RestartPolicy, *times: float) -> list[Verdict]:
    """The verdicts of failures at these times, one after the other."""
    verdicts: list[Verdict] = []
    failures: tuple[float, ...] = ()
    for time in times:
        verdicts.append(judge(policy, failures, time, len(failures) + 1))
        failures = verdicts[-1].failures
    return verdicts


@pytest.mark.parametrize(
    ("times", "restarts"),
    [
        ((0, 1, 2, 3), [True, True, True, False]),
        ((0, 10, 20, 29.9), [True, True, True, False]),
        ((0, 10, 20, 30), [True, True, True, True]),
        ((0, 10, 20, 31), [True, True, True, True]),
        ((0, 10, 20, 31, 32), [True, True, True, True, False]),
        ((0, 0, 0, 0), [True, True, True, False]),
        ((0, 29, 58, 87, 116), [True] * 5),
    ],
)
def test_junos_gives_up_at_the_fourth_failure_within_thirty_seconds(
    times: tuple[float, ...], restarts: list[bool]
) -> None:
    assert restarts == [verdict.restart for verdict in history(JUNOS, *times)]


def test_junos_restarts_without_delay() -> None:
    assert [0.0] * 3 == [verdict.delay for verdict in history(JUNOS, 0, 1, 2)]


def test_erlang_forgives_one_failure_in_five_seconds() -> None:
    verdicts = history(POLICIES["erlang"], 0, 5, 9.9)

    assert [True, True, False] == [verdict.restart for verdict in verdicts]


def test_systemd_gives_up_at_the_fifth_and_waits_a_tenth_of_a_second_each_time() -> None:
    verdicts = history(POLICIES["systemd"], 0, 1, 2, 3, 4)

    assert [True] * 4 + [False] == [verdict.restart for verdict in verdicts]
    assert {0.1} == {verdict.delay for verdict in verdicts}


def test_never_give_up_waits_longer_each_time_up_to_five_seconds() -> None:
    verdicts = history(POLICIES["never-give-up"], *(n / 10 for n in range(10)))

    assert all(verdict.restart for verdict in verdicts)
    assert [0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0] == [v.delay for v in verdicts]


def test_a_back_off_that_begins_above_zero_grows_from_there() -> None:
    policy = RestartPolicy(None, 30.0, Backoff(initial=1.0, factor=3.0, cap=10.0))

    assert [1.0, 3.0, 9.0, 10.0] == [verdict.delay for verdict in history(policy, 0, 1, 2, 3)]


def test_the_cap_holds_for_the_first_delay_too() -> None:
    policy = RestartPolicy(None, 30.0, Backoff(initial=9.0, cap=2.0))

    assert 2.0 == judge(policy, (), 0.0, 1).delay


def test_jitter_takes_away_its_share_at_most() -> None:
    policy = RestartPolicy(None, 30.0, Backoff(initial=4.0, cap=4.0, jitter=0.5))

    assert [4.0, 3.0] == [judge(policy, (), 0.0, 1, draw).delay for draw in (0.0, 0.5)]


def test_only_so_many_failures_are_kept_that_a_record_stays_small() -> None:
    policy = RestartPolicy(intensity=None)
    verdicts = history(policy, *(n / 1000 for n in range(500)))

    assert REMEMBERED == len(verdicts[-1].failures)
    assert 0.499 == verdicts[-1].failures[-1]


policies = st.builds(
    RestartPolicy,
    intensity=st.none() | st.integers(0, REMEMBERED - 1),
    period=st.floats(0, 86400),
    backoff=st.builds(
        Backoff,
        initial=st.floats(0, 86400),
        factor=st.floats(1, 86400),
        cap=st.floats(0, 86400),
        jitter=st.floats(0, 1),
    ),
)
rising = st.lists(st.floats(0, 1e6), max_size=200).map(sorted)


@given(
    policy=policies,
    failures=rising,
    later=st.floats(0, 1e5),
    streak=st.integers(1, 500),
    draw=st.floats(0, 0.999),
)
def test_a_verdict_is_within_its_bounds_whatever_the_policy(
    policy: RestartPolicy, failures: list[float], later: float, streak: int, draw: float
) -> None:
    now = (failures[-1] if failures else 0.0) + later
    verdict = judge(policy, failures, now, streak, draw)

    assert 0 <= verdict.delay <= policy.backoff.cap
    assert now == verdict.failures[-1]
    assert len(verdict.failures) <= REMEMBERED
    assert set(verdict.failures) <= {*failures, now}
    assert list(verdict.failures) == sorted(verdict.failures)


@given(failures=rising, policy=policies)
def test_the_window_never_holds_more_than_the_intensity_after_a_pardon(
    failures: list[float], policy: RestartPolicy
) -> None:
    for verdict in history(policy, *failures):
        if policy.intensity is not None:
            assert verdict.restart == (len(verdict.failures) <= policy.intensity)


@given(count=st.integers(1, 150), backoff=policies.map(lambda policy: policy.backoff))
def test_delays_never_shrink_within_a_window(count: int, backoff: Backoff) -> None:
    delays = [v.delay for v in history(RestartPolicy(None, 1e6, backoff), *range(count))]

    if backoff.initial or backoff.cap >= FIRST_STEP:
        assert delays == sorted(delays)

"""A silent module is lost in time; lateness and a busy machine are no module's fault."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsupervisor.jlaunchd.heartbeat import FIRST_SIGN, WAITING_CAP, Pulse
from jsupervisor.jlaunchd.plan import Heartbeat

BEAT = Heartbeat(interval=0.25, misses=3)
beats = st.builds(
    Heartbeat,
    st.floats(0.01, 10.0).map(lambda value: round(value, 3)),
    st.integers(1, 20),
)
waits = st.floats(0.0, 20.0)


def known(beat: Heartbeat = BEAT) -> Pulse:
    """The pulse of a module that has given its first sign."""
    pulse = Pulse(beat)
    pulse.sign()
    return pulse


def looks_until_lost(pulse: Pulse, *, late: bool = False, waited: float = 0.0) -> int:
    """How many silent looks it takes."""
    for number in range(1, 100_000):
        if pulse.silence(late=late, waited=waited):
            return number
    raise AssertionError("never lost")


def test_three_silent_looks_in_a_row_are_too_many() -> None:
    pulse = known()

    assert [False, False, True] == [pulse.silence(late=False, waited=0.0) for _ in range(3)]


def test_a_sign_of_life_clears_the_silence_before_it() -> None:
    pulse = known()
    for _ in range(5):
        pulse.silence(late=False, waited=0.0)
        pulse.silence(late=False, waited=0.0)
        pulse.sign()

    assert (0.0, 0.0) == (pulse.silent, pulse.forgiven)


def test_the_first_sign_may_take_longer() -> None:
    assert 3 + FIRST_SIGN / 0.25 == looks_until_lost(Pulse(BEAT))
    assert 3 == looks_until_lost(Pulse(BEAT, 0.0))


def test_who_has_just_become_ready_has_one_look_more() -> None:
    pulse = Pulse(BEAT)
    pulse.ready()

    assert 4 == looks_until_lost(pulse)


def test_the_first_look_after_we_were_late_counts_nothing() -> None:
    pulse = known()
    late = [True, False, True, False, True, False]

    assert [False] * 5 + [True] == [pulse.silence(late=each, waited=0.0) for each in late]


def test_one_who_is_always_late_still_finds_a_module_that_hangs() -> None:
    assert 4 == looks_until_lost(known(), late=True)


def test_waiting_for_a_processor_is_forgiven() -> None:
    pulse = known()
    for _ in range(8):
        assert not pulse.silence(late=False, waited=0.25)

    assert (0.0, 2.0) == (pulse.silent, pulse.forgiven)


def test_waiting_is_forgiven_up_to_the_cap() -> None:
    assert 3 + WAITING_CAP / 0.25 == looks_until_lost(known(), waited=9.0)


def test_waits_that_are_a_small_part_of_an_interval_explain_no_silence() -> None:
    assert 3 == looks_until_lost(known(), waited=0.06)
    assert 4 == looks_until_lost(known(), waited=0.0625)


def test_the_cap_is_for_each_silence() -> None:
    pulse = known()
    for _ in range(20):
        for _ in range(8):
            assert not pulse.silence(late=False, waited=0.25)
        pulse.sign()


def test_a_stopped_module_among_busy_ones_is_found_as_soon_as_on_an_idle_machine() -> None:
    assert 3 == looks_until_lost(known(), waited=0.0)


@pytest.mark.parametrize("interval", [0.01, 0.2, 0.25, 0.3, 1.0, 7.3])
@pytest.mark.parametrize("misses", [1, 2, 3, 10])
def test_so_many_looks_as_misses_whatever_the_numbers(interval: float, misses: int) -> None:
    assert misses == looks_until_lost(known(Heartbeat(interval, misses)))


@settings(deadline=None)
@given(beats, st.data())
def test_a_module_that_answers_within_its_misses_is_never_lost(
    beat: Heartbeat, data: st.DataObject
) -> None:
    pulse = Pulse(beat)
    for _ in range(data.draw(st.integers(0, 10))):
        for _ in range(data.draw(st.integers(0, beat.misses - 1))):
            lost = pulse.silence(late=data.draw(st.booleans()), waited=data.draw(waits))

            assert not lost
        pulse.sign()


@settings(deadline=None)
@given(beats, st.lists(st.tuples(st.booleans(), waits), max_size=30))
def test_whoever_only_waited_for_a_processor_is_never_lost_below_the_cap(
    beat: Heartbeat, looks: list[tuple[bool, float]]
) -> None:
    pulse = known(beat)
    for late, _ in looks:
        lost = pulse.silence(late=late, waited=beat.interval)

        assert not lost or pulse.forgiven == pytest.approx(WAITING_CAP)


@settings(deadline=None)
@given(beats, st.data())
def test_a_module_that_never_answers_is_always_lost_within_the_cap(
    beat: Heartbeat, data: st.DataObject
) -> None:
    pulse = Pulse(beat)
    counted = math.ceil((FIRST_SIGN + WAITING_CAP) / beat.interval) + beat.misses + 1
    # Whatever the lateness, one look in two counts at least.
    lost = any(
        pulse.silence(late=data.draw(st.booleans()), waited=data.draw(waits))
        for _ in range(min(2 * counted, 60))
    )
    rest = (pulse.silence(late=False, waited=9.0) for _ in range(counted))

    assert lost or any(rest)


@settings(deadline=None)
@given(beats, st.lists(st.tuples(st.booleans(), waits), max_size=60))
def test_never_more_is_forgiven_than_the_cap_nor_more_counted_than_has_passed(
    beat: Heartbeat, looks: list[tuple[bool, float]]
) -> None:
    pulse = known(beat)
    for late, waited in looks:
        pulse.silence(late=late, waited=waited)

    assert 0.0 <= pulse.forgiven <= WAITING_CAP + 1e-9
    assert 0.0 <= pulse.silent <= beat.interval * len(looks) + 1e-9

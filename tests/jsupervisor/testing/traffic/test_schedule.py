"""The schedule is open loop: what is due depends on time and rate alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.testing.traffic.schedule import SECOND_NS, TICK_NS, Pacer, Schedule, next_tick

RATES = st.floats(1.0, 1e6)
TIMES = st.integers(0, 100 * SECOND_NS)


def test_the_first_packet_is_due_at_the_start() -> None:
    schedule = Schedule(1000, 10.0)

    assert [0, 1, 1, 2] == [schedule.due(now) for now in (999, 1000, 1001, 1000 + SECOND_NS // 10)]


@given(RATES, TIMES, TIMES, TIMES)
def test_windows_that_touch_share_out_all_packets(rate: float, a: int, b: int, c: int) -> None:
    begin, middle, end = sorted((a, b, c))
    schedule = Schedule(0, rate)
    first, second = schedule.window(begin, middle), schedule.window(middle, end)

    assert len(schedule.window(begin, end)) == len(first) + len(second)
    assert not set(first[-1:]) & set(second[:1])


def test_no_packet_is_due_before_the_start() -> None:
    assert 0 == len(Schedule(1000, 10.0).window(0, 1000))


def test_a_packet_is_due_at_its_time() -> None:
    schedule = Schedule(5, 3.0)

    assert [1, 2, 3] == [schedule.due(schedule.time_of(sequence) + 1) for sequence in range(3)]


def test_what_the_link_does_not_take_stays_due() -> None:
    pacer = Pacer(Schedule(0, 1000.0))
    taken = pacer.take(2 * TICK_NS)
    pacer.sent(1)

    assert range(3) == taken
    assert range(1, 3) == pacer.take(2 * TICK_NS)
    assert 2 == pacer.backlog(2 * TICK_NS)


def test_a_backlog_is_sent_at_four_times_the_rate() -> None:
    pacer = Pacer(Schedule(0, 10_000.0))

    assert range(41) == pacer.take(SECOND_NS)


@given(TIMES, TIMES)
def test_the_next_tick_lies_on_the_grid_and_ahead(start: int, now: int) -> None:
    tick = next_tick(start, now)

    assert 0 == (tick - start) % TICK_NS
    assert tick > now or tick == start

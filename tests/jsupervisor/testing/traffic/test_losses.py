"""Loss and outage by both methods of RFC 6201."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.testing.traffic.losses import (
    MS_NS,
    FlowLoss,
    Gap,
    Loss,
    flow_loss,
    longest_gap,
)


def test_nothing_lost_is_no_outage_by_loss() -> None:
    loss = Loss((flow_loss(1, [10, 20, 30], 0, 30),), 100.0)

    assert (3, 0, 0.0) == (loss.offered, loss.lost, loss.outage_ms_by_loss)


def test_both_methods_agree_on_a_steady_flow_with_a_hole() -> None:
    times = [0 if 40 <= ms < 90 else ms * MS_NS for ms in range(1, 201)]
    loss = Loss((flow_loss(1, times, 0, 200 * MS_NS),), 1000.0)

    assert 50 == loss.lost
    assert 50.0 == loss.outage_ms_by_loss
    assert 51.0 == loss.outage_ms_by_gap


def test_a_delay_without_loss_shows_in_the_gap_alone() -> None:
    times = [ms * MS_NS for ms in range(1, 50)] + [100 * MS_NS] * 50
    loss = Loss((flow_loss(1, times, 0, 100 * MS_NS),), 1000.0)

    assert 0 == loss.lost
    assert 51.0 == loss.outage_ms_by_gap


def test_the_gap_says_where_it_began() -> None:
    assert Gap(70, 30) == longest_gap([10, 20, 30, 100, 110], 0, 110)


def test_packets_out_of_order_make_no_gap() -> None:
    assert Gap(10, 10) == longest_gap([20, 10, 30], 0, 30)


def test_a_flow_that_fell_silent_has_a_gap_up_to_the_end() -> None:
    assert Gap(80, 20) == longest_gap([10, 20, 0, 0], 0, 100)


def test_a_flow_that_never_arrived_has_a_gap_as_long_as_the_window() -> None:
    assert Gap(90, 0) == longest_gap([0, 0], 10, 100)


def test_a_window_without_packets_has_neither_loss_nor_gap() -> None:
    assert FlowLoss(1, 0, 0, Gap(0, 0)) == flow_loss(1, [], 10, 100)


def test_the_outage_is_that_of_the_flow_that_suffered_most() -> None:
    flows = (FlowLoss(1, 10, 0, Gap(3 * MS_NS, 0)), FlowLoss(2, 10, 5, Gap(9 * MS_NS, 0)))

    assert 9.0 == Loss(flows, 20.0).outage_ms_by_gap


@given(st.lists(st.integers(0, 10**9)), st.integers(0, 10**9))
def test_lost_and_arrived_add_up(arrivals: list[int], end: int) -> None:
    loss = flow_loss(1, arrivals, 0, end)

    assert loss.offered == loss.lost + sum(1 for time in arrivals if time)
    assert loss.gap.length_ns >= 0

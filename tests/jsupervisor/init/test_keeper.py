"""How init's own children are pinged and restarted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.init.keeper import (
    FIRST_DELAY_NS,
    HELLO_TIMEOUT_NS,
    MAX_DELAY_NS,
    MISSES,
    PING_NS,
    Keeper,
    Pinger,
)

MS = 1_000_000


def test_a_peer_that_misses_three_pings_in_a_row_hangs() -> None:
    pinger, now, log = Pinger(PING_NS), 0, []
    for _ in range(4):
        now += PING_NS
        log.append(pinger.due(now))

    assert [(True, False)] * 3 + [(False, True)] == log
    assert 3 == MISSES


def test_a_ping_before_its_time_is_not_sent() -> None:
    assert (False, False) == Pinger(PING_NS).due(PING_NS - 1)


def test_any_answer_clears_the_misses_before_it() -> None:
    pinger, now = Pinger(PING_NS), 0
    for number in range(1, 101):
        now += PING_NS
        assert (True, False) == pinger.due(now)
        if number % 3 == 0:
            pinger.pong(number)


def test_our_own_lateness_is_not_held_against_the_peer() -> None:
    pinger, now = Pinger(PING_NS), 0
    for _ in range(3):
        now += PING_NS
        pinger.due(now)
    now += 60_000 * MS

    assert (True, False) == pinger.due(now)
    for _ in range(2):
        now += PING_NS
        assert (True, False) == pinger.due(now)
    now += PING_NS
    assert (False, True) == pinger.due(now)


@given(number=st.integers(-(10**6), 10**6))
def test_an_answer_to_a_ping_that_was_never_sent_buys_no_time(number: int) -> None:
    pinger, now = Pinger(PING_NS), 0
    hangs = []
    for _ in range(4):
        now += PING_NS
        hangs.append(pinger.due(now)[1])
        if len(hangs) == 1:
            pinger.pong(number)

    answered = number >= 1
    assert [False, False, False, not answered] == hangs


def test_the_first_restart_is_at_once_and_the_next_wait_longer_up_to_five_seconds() -> None:
    keeper, delays = Keeper("launcher"), []
    for now in range(10):
        keeper.started(100, 1, now)
        keeper.exited(now)
        assert keeper.start_at_ns is not None
        delays.append((keeper.start_at_ns - now) // MS)

    assert [0, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000] == delays
    assert (50 * MS, 5000 * MS) == (FIRST_DELAY_NS, MAX_DELAY_NS)


def test_work_done_makes_the_next_death_the_first() -> None:
    keeper = Keeper("launcher")
    for _ in range(5):
        keeper.started(100, 1, 0)
        keeper.exited(0)
    keeper.started(100, 1, 0)
    keeper.ready()
    keeper.exited(7)

    assert (7, 0, 6) == (keeper.start_at_ns, keeper.pid, keeper.incarnation)


def test_a_child_that_never_says_hello_is_silent() -> None:
    keeper = Keeper("jlaunchd")
    keeper.started(100, 1, 0)

    assert not keeper.silent(HELLO_TIMEOUT_NS)
    assert keeper.silent(HELLO_TIMEOUT_NS + 1)
    keeper.hello = True
    assert not keeper.silent(10**18)
    keeper.exited(0)
    assert not keeper.silent(10**18)

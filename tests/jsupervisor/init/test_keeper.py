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
    WAITING_CAP_NS,
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
            pinger.heard()


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


def pings_until_it_hangs(pinger: Pinger, waited_ns: int) -> int:
    """How many pings a peer that never answers is sent."""
    now = 0
    for number in range(1000):
        now += PING_NS
        send, hangs = pinger.due(now, waited_ns)
        if hangs:
            return number
        assert send
    raise AssertionError("never")


def test_a_peer_that_waits_for_a_processor_has_more_time_up_to_the_cap() -> None:
    assert MISSES + WAITING_CAP_NS // PING_NS == pings_until_it_hangs(Pinger(PING_NS), 10**10)


def test_waits_that_are_shorter_than_a_ping_add_up() -> None:
    found = pings_until_it_hangs(Pinger(PING_NS), PING_NS // 2)

    assert 2 * MISSES - 1 <= found <= 2 * MISSES + 1


def test_a_peer_that_waits_for_nothing_has_no_more_time() -> None:
    assert MISSES == pings_until_it_hangs(Pinger(PING_NS), 0)


def test_an_answer_makes_the_cap_whole_again() -> None:
    pinger, now = Pinger(PING_NS), 0
    for number in range(1, 101):
        now += PING_NS
        assert (True, False) == pinger.due(now, PING_NS)
        if number % 10 == 0:
            pinger.heard()


@given(st.lists(st.integers(0, 10**11), max_size=60))
def test_a_peer_that_never_answers_is_found_whatever_it_waits_for(waits: list[int]) -> None:
    pinger, now = Pinger(PING_NS), 0
    most = MISSES + WAITING_CAP_NS // PING_NS + 1
    for waited in (waits + [0] * most)[:most]:
        now += PING_NS
        if pinger.due(now, waited)[1]:
            return
    raise AssertionError("never found")


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

    assert not keeper.silent(HELLO_TIMEOUT_NS - 1)
    assert HELLO_TIMEOUT_NS == keeper.hello_deadline_ns
    assert keeper.silent(HELLO_TIMEOUT_NS)
    keeper.hello = True
    assert not keeper.silent(10**18)
    keeper.exited(0)
    assert not keeper.silent(10**18)

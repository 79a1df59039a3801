"""Which sessions were dropped, by the clients' own counters."""

from __future__ import annotations

from dataclasses import replace

from jsupervisor.testing.sessions import Session, dropped_among_others

FIB = Session("pfectl0", "rpd", "fib", True, True, 0, 1, 1, 0)
PORTS = Session("dcd", "chassisd", "ports", True, True, 0, 1, 1, 0)


def test_nothing_dropped_is_nothing_dropped() -> None:
    assert [] == dropped_among_others([FIB, PORTS], [FIB, PORTS], {"alarmd"})


def test_sessions_with_a_victim_do_not_count() -> None:
    after = [replace(FIB, dropped=1, established=2), PORTS]

    assert [] == dropped_among_others([FIB, PORTS], after, {"rpd"})
    assert [] == dropped_among_others([FIB, PORTS], after, {"pfectl0"})


def test_a_drop_among_others_counts_each_time() -> None:
    after = [replace(FIB, dropped=2, established=3), PORTS]

    assert [FIB.key, FIB.key] == dropped_among_others([FIB, PORTS], after, {"alarmd"})


def test_counters_that_begin_anew_mean_that_the_consumer_was_replaced() -> None:
    before = replace(FIB, established=3)

    assert [FIB.key] == dropped_among_others([before], [replace(FIB, established=1)], {"alarmd"})
    assert [FIB.key] == dropped_among_others([before], [], {"alarmd"})

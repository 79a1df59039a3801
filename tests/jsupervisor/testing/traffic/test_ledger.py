"""The ledger accounts for every packet, whoever has it mapped."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from jsupervisor.testing.traffic.flows import Flow, HostPlan
from jsupervisor.testing.traffic.ledger import Ledger, Received, Sent, Word

FLOW = Flow(3, "192.0.2.2", "198.51.100.2", 10.0)
OWN = Flow(4, "198.51.100.2", "192.0.2.2", 10.0)
PLAN = HostPlan(
    "right",
    "unix:/r",
    "02:00:00:00:00:02",
    ("198.51.100.2",),
    ("198.51.100.1",),
    (OWN,),
    (FLOW,),
    1,
)


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger.create(PLAN)
    yield ledger
    ledger.close()


def counters(ledger: Ledger) -> tuple[int, ...]:
    return tuple(ledger.received(3, word) for word in Received)


def test_both_sides_see_the_same_words(ledger: Ledger) -> None:
    other = Ledger(PLAN, os.dup(ledger.fd))
    ledger[Word.START_NS] = 17
    other.add_sent(4, Sent.DELAYED, 5)
    other.note(3, 2, 99)

    assert 17 == other[Word.START_NS]
    assert (0, 5) == (ledger.sent(4, Sent.SENT), ledger.sent(4, Sent.DELAYED))
    assert [0, 0, 99] == ledger.arrivals(3, range(3))
    other.close()


def test_the_first_arrival_counts_and_later_ones_are_duplicates(ledger: Ledger) -> None:
    for now, sequence in enumerate((0, 1, 1, 0), 10):
        ledger.note(3, sequence, now)

    assert (2, 2, 0, 2, 0) == counters(ledger)
    assert [10, 11] == ledger.arrivals(3, range(2))


def test_a_packet_behind_a_later_one_is_reordered_and_not_lost(ledger: Ledger) -> None:
    for now, sequence in enumerate((0, 2, 1, 3), 10):
        ledger.note(3, sequence, now)

    assert (4, 0, 1, 4, 0) == counters(ledger)


def test_a_packet_beyond_the_ledger_is_counted(ledger: Ledger) -> None:
    assert ledger.note(3, 11, 5)
    assert (0, 0, 0, 0, 1) == counters(ledger)


def test_a_flow_of_others_is_not_counted(ledger: Ledger) -> None:
    assert not ledger.note(9, 0, 5)


def test_nothing_can_be_told_beyond_the_ledger(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="cannot tell about packet 11 of flow 3"):
        ledger.arrivals(3, range(12))

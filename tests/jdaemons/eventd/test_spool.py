"""Bounded queues that say how much they lost."""

from __future__ import annotations

from collections.abc import Callable

from jdaemons.eventd.spool import BATCH_OCTETS, Spool, Tail
from jsupervisor.runtime.record import Record


def spool_of(*lines: bytes, most: int = 100) -> Spool:
    spool = Spool(most)
    for line in lines:
        spool.add(line)
    return spool


def test_what_waits_leaves_in_one_batch() -> None:
    spool = spool_of(b"1\n", b"2\n")
    batch = spool.begin()
    spool.add(b"3\n")
    waiting = spool.waiting
    spool.done()

    assert b"1\n2\n" == batch
    assert 3 == waiting
    assert b"3\n" == spool.begin()


def test_nothing_waits_in_an_empty_spool() -> None:
    assert b"" == Spool().begin()


def test_a_failed_batch_comes_again_before_what_came_meanwhile() -> None:
    spool = spool_of(b"1\n", b"2\n")
    spool.begin()
    spool.add(b"3\n")
    spool.failed()

    assert b"1\n2\n3\n" == spool.begin()
    assert 0 == spool.lost


def test_the_oldest_lines_are_lost_and_counted() -> None:
    spool = spool_of(b"1\n", b"2\n", b"3\n", most=4)

    assert 1 == spool.lost
    assert b"2\n3\n" == spool.begin()


def test_the_oldest_lines_of_a_failed_batch_are_lost_first() -> None:
    spool = spool_of(b"1\n", b"2\n", most=4)
    spool.begin()
    spool.add(b"3\n")
    spool.failed()

    assert 1 == spool.lost
    assert b"2\n3\n" == spool.begin()


def test_a_batch_is_bounded_and_a_long_line_goes_alone() -> None:
    long = b"x" * BATCH_OCTETS + b"\n"
    spool = spool_of(b"1\n", long, b"2\n", most=2 * BATCH_OCTETS)
    batches = []
    for _ in range(3):
        batches.append(spool.begin())
        spool.done()

    assert [b"1\n", long, b"2\n"] == batches


def test_a_reader_takes_records_in_order(a_record: Callable[..., Record]) -> None:
    tail = Tail("")
    records = [a_record(number=number) for number in range(2)]
    wanted = [tail.offer(record) for record in records]

    assert [True, True] == wanted
    assert [(records[0], 0), (records[1], 0), None] == [tail.take() for _ in range(3)]


def test_a_reader_of_one_module_gets_no_others(a_record: Callable[..., Record]) -> None:
    tail = Tail("dcd")
    wanted = [tail.offer(a_record(module=module)) for module in ("rpd", "dcd")]

    assert [False, True] == wanted
    assert (a_record(module="dcd"), 0) == tail.take()


def test_a_slow_reader_is_told_how_many_it_lost(a_record: Callable[..., Record]) -> None:
    tail = Tail("", most=2)
    for number in range(5):
        tail.offer(a_record(number=number))
    first = tail.take()
    tail.offer(a_record(number=5))
    tail.offer(a_record(number=6))

    assert (a_record(number=3), 3) == first
    assert (a_record(number=5), 1) == tail.take()
    assert (a_record(number=6), 0) == tail.take()

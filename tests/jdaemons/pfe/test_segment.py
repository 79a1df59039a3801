"""The engine's memory: what outlives it."""

from __future__ import annotations

import os

import pytest

from jdaemons.pfe.layout import ImageError
from jdaemons.pfe.segment import LOG_LINE, LOG_LINES, MESSAGE, Drop, Segment


def test_a_successor_finds_what_was_counted() -> None:
    fd = os.memfd_create("state")
    first = Segment(fd, writable=True)
    first.drops[2, Drop.MARTIAN] = 7
    second = Segment(fd, writable=False)
    os.close(fd)

    assert 7 == second.drops[2, Drop.MARTIAN]


def test_a_reader_cannot_write() -> None:
    fd = os.memfd_create("state")
    reader = Segment(fd, writable=False)
    os.close(fd)
    with pytest.raises(ValueError):
        reader.drops[0, 0] = 1


def test_another_size_or_version_is_refused() -> None:
    fd, other = os.memfd_create("state"), os.memfd_create("state")
    os.ftruncate(fd, 4096)
    Segment(other, writable=True).header["version"] = 99
    for bad in (fd, other):
        with pytest.raises(ImageError, match="cannot use a segment of"):
            Segment(bad, writable=True)
        os.close(bad)


def test_the_log_is_a_ring_and_a_slow_reader_loses_the_oldest_lines() -> None:
    fd = os.memfd_create("state")
    segment = Segment(fd, writable=True)
    os.close(fd)
    segment.append_log("x" * 2 * LOG_LINE)
    first, seen = segment.log_since(0)
    for number in range(LOG_LINES + 5):
        segment.append_log(f"line {number}")
    lines, _ = segment.log_since(seen)

    assert ["x" * LOG_LINE] == first
    assert [f"line {number}" for number in range(5, LOG_LINES + 5)] == lines


def test_every_reason_has_a_label_and_a_place() -> None:
    assert len(Drop) == len({each.label for each in Drop})
    assert "not-for-us" == Drop.NOT_FOR_US.label


def test_a_message_header_is_as_the_kernel_has_it() -> None:
    assert 64 == MESSAGE.itemsize

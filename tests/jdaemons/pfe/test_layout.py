"""The image's file."""

from __future__ import annotations

import os

import pytest

from jdaemons.pfe.layout import HEADER, NEXT_HOPS_HIGH, ROUTE, ROUTE_KEY, Image, ImageError, Sizes

SMALL = Sizes(root_bits=8, groups4=4, groups6=4, routes=16)


def test_an_untouched_image_costs_next_to_nothing() -> None:
    fd = os.memfd_create("image")
    image = Image(fd, writable=True)
    status = os.fstat(fd)
    os.close(fd)

    assert image.size == status.st_size > 500_000_000
    assert status.st_blocks * 512 <= 4096


def test_a_reader_sees_what_the_writer_stores() -> None:
    fd = os.memfd_create("image")
    writer = Image(fd, writable=True, sizes=SMALL)
    reader = Image(fd, writable=False, sizes=SMALL)
    os.close(fd)
    writer.trie4.cells[3] = 9
    writer.header["generation"] = 4

    assert 9 == reader.trie(4).cells[3]
    assert 4 == reader.generation
    with pytest.raises(ValueError):
        reader.trie(6).cells[0] = 1


def test_another_size_or_version_is_refused() -> None:
    fd, other = os.memfd_create("image"), os.memfd_create("image")
    os.ftruncate(fd, 4096)
    Image(other, writable=True, sizes=SMALL).header["version"] = 99
    for bad in (fd, other):
        with pytest.raises(ImageError, match="cannot use an image of"):
            Image(bad, writable=True, sizes=SMALL)
        os.close(bad)


def test_records_stand_where_the_writer_says() -> None:
    fields = HEADER.fields
    assert fields is not None

    assert NEXT_HOPS_HIGH == fields["next_hops_high"][1]
    assert (24, 18) == (ROUTE.itemsize, ROUTE_KEY)

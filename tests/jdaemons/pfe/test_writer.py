"""The image's writer: what it installs, and that it may die at any store."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jdaemons.pfe.fakes import ADDRESSES, NEXT_HOPS, PORTS, ROUTES, address, install, ip, route
from jdaemons.pfe.layout import Image, JournalState, NextHopType, Sizes
from jdaemons.pfe.values import NextHop, Port
from jdaemons.pfe.writer import SPARE_SLOTS, ImageFull, ImageWriter

SMALL = Sizes(root_bits=8, groups4=512, groups6=512, routes=256)


class Killed(Exception):
    """The writer dies here."""


@pytest.fixture
def image() -> Generator[Image, None, None]:
    yield fresh()


def fresh() -> Image:
    fd = os.memfd_create("image")
    try:
        return Image(fd, writable=True, sizes=SMALL)
    finally:
        os.close(fd)


def lookup(image: Image, text: str) -> int:
    """The ID of the next hop that a packet would take; 0 for none."""
    octets = ip(text)
    row = np.frombuffer(octets, np.uint8)[None, :]
    slot = image.trie(4 if len(octets) == 4 else 6).lookup(row)[0]
    return int(image.next_hops["id"][slot])


def best(routes: dict[bytes, int], text: str) -> int:
    octets = ip(text)
    family, wide = 4 if len(octets) == 4 else 6, int.from_bytes(octets.ljust(16, b"\0"))
    for length in range(128, -1, -1):
        key = bytes((family, length)) + (wide >> (128 - length) << (128 - length)).to_bytes(16)
        if key in routes:
            return routes[key]
    return 0


PROBES = [
    "192.0.2.1",
    "192.0.2.2",
    "198.51.100.9",
    "10.1.2.3",
    "10.1.2.200",
    "10.9.9.9",
    "10.66.0.1",
    "8.8.8.8",
    "2001:db8:1::1",
    "2001:db8:2::5",
    "2001:db8:f::1",
    "2001:db8:77:1::1",
    "::1",
]


def forwards(image: Image, routes: dict[bytes, int]) -> bool:
    return [best(routes, each) for each in PROBES] == [lookup(image, each) for each in PROBES]


def test_what_was_installed_is_found(image: Image) -> None:
    writer = ImageWriter(image)
    install(writer)

    assert forwards(image, ROUTES)
    assert writer.routes() == ROUTES
    assert {hop.id: hop for hop in NEXT_HOPS} == writer.next_hops()


def test_a_default_route_is_a_register(image: Image) -> None:
    writer = ImageWriter(image)
    install(writer)
    writer.change_routes({route("0.0.0.0/0"): 3, route("::/0"): 4}, [])
    found = lookup(image, "8.8.8.8"), lookup(image, "2600::1"), lookup(image, "10.1.0.1")
    writer.change_routes({}, [route("0.0.0.0/0")])

    assert (3, 4, 3) == found
    assert 0 == lookup(image, "8.8.8.8")
    assert 4 == lookup(image, "2600::1")


def test_a_successor_knows_what_is_installed(image: Image) -> None:
    install(ImageWriter(image))
    successor = ImageWriter(image)

    assert ROUTES == successor.routes()
    assert {hop.id: hop for hop in NEXT_HOPS} == successor.next_hops()


def test_what_is_unchanged_is_not_written_again(image: Image) -> None:
    writer = ImageWriter(image)
    install(writer)
    generation = image.generation
    writer.set_ports(PORTS, ADDRESSES)

    assert generation == image.generation


def test_a_changed_next_hop_takes_its_routes_along(image: Image) -> None:
    writer = ImageWriter(image)
    install(writer)
    before = writer.slot(3)
    writer.set_next_hops([NextHop(id=3, type=NextHopType.DISCARD)])

    assert before == writer.slot(3)
    assert NextHopType.DISCARD == writer.next_hops()[3].type


def test_freed_slots_rest_before_they_are_used_again(image: Image) -> None:
    writer = ImageWriter(image)
    seen = []
    for number in range(1, SPARE_SLOTS + 4):
        writer.set_next_hops([NextHop(id=number, type=NextHopType.DISCARD)])
        seen.append(writer.slot(number))
        writer.remove_next_hops([number])

    assert [*range(1, SPARE_SLOTS + 2), 1, 2] == seen


def test_routes_beyond_the_list_are_refused_and_the_others_installed(image: Image) -> None:
    writer = ImageWriter(image)
    install(writer, {})
    many = {route(f"10.0.{index // 256}.{index % 256}/32"): 3 for index in range(300)}
    with pytest.raises(ImageFull, match="cannot install 44 routes: no room"):
        writer.change_routes(many, [])

    assert 256 == len(writer.routes())


def test_a_route_to_an_unknown_next_hop_is_refused(image: Image) -> None:
    writer = ImageWriter(image)
    with pytest.raises(ImageFull, match="cannot install 1 routes"):
        writer.change_routes({route("10.0.0.0/8"): 99}, [])

    assert {} == writer.routes()


def kill_everywhere(
    prepare: Callable[[ImageWriter], None], work: Callable[[ImageWriter], None]
) -> Generator[tuple[Image, ImageWriter, bool], None, None]:
    """After each store of `work` in turn: the image as the successor has finished it."""
    at = 0
    while True:
        image = fresh()
        prepare(ImageWriter(image))
        left = at

        def step() -> None:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1

        try:
            work(ImageWriter(image, step))
            done = True
        except Killed:
            done = False
        yield image, ImageWriter(image), done
        if done:
            return
        at += 1


CHANGES = {
    route("10.1.2.0/24"): 4,
    route("10.1.2.128/25"): 8,
    route("10.0.0.0/8"): 6,
    route("192.0.2.0/24"): 7,
    route("2001:db8:f::1/128"): 3,
    route("0.0.0.0/0"): 8,
}
GONE = [route("10.66.0.0/16"), route("2001:db8:2::/64"), route("10.1.0.0/16")]


def test_a_writer_killed_at_any_step_of_a_route_change_leaves_before_or_after() -> None:
    after = {key: n for key, n in {**ROUTES, **CHANGES}.items() if key not in GONE}
    outcomes = []
    for image, successor, done in kill_everywhere(
        install, lambda writer: writer.change_routes(CHANGES, GONE)
    ):
        routes = successor.routes()
        assert routes in (dict(ROUTES), after)
        assert forwards(image, routes)
        assert JournalState.IDLE == image.header["journal_state"][0]
        outcomes.append(routes == after)
        assert outcomes[-1] or not done
        successor.change_routes(CHANGES, [key for key in GONE if key in routes])
        assert forwards(image, after)

    assert len(outcomes) > 30
    assert sorted(outcomes) == outcomes


def test_a_writer_killed_while_removing_everything_leaves_no_trace() -> None:
    for image, successor, _ in kill_everywhere(
        install, lambda writer: writer.change_routes({}, ROUTES)
    ):
        successor.change_routes({}, successor.routes())
        assert not image.trie4.cells[:256].any()
        assert not image.trie6.cells[:256].any()
        assert not image.trie6.owners.any()


def test_a_writer_killed_at_any_step_of_the_small_tables_leaves_before_or_after() -> None:
    ports = {0: PORTS[0], 5: Port(name="ge-0/0/5", mac=b"\x02" * 6, mtu=9000)}
    own = [address(0, "192.0.2.9/24"), address(5, "203.0.113.1/24")]
    hops = [NextHop(id=3, type=NextHopType.REJECT), NextHop(id=50, type=NextHopType.DISCARD)]

    def work(writer: ImageWriter) -> None:
        writer.set_ports(ports, own)
        writer.set_next_hops(hops)

    wanted = fresh()
    install(ImageWriter(wanted))
    work(ImageWriter(wanted))
    for image, successor, _ in kill_everywhere(install, work):
        assert 0 == image.generation % 2
        assert successor.next_hops()[3].type in (NextHopType.UNICAST, NextHopType.REJECT)
        work(successor)
        assert (wanted.ports == image.ports).all()
        assert (wanted.addresses == image.addresses).all()
        assert {**{hop.id: hop for hop in NEXT_HOPS}, **{hop.id: hop for hop in hops}} == (
            successor.next_hops()
        )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 200), st.lists(st.sampled_from(sorted({**ROUTES, **CHANGES})), max_size=8))
def test_killed_anywhere_amid_any_change(at: int, gone: list[bytes]) -> None:
    image = fresh()
    install(ImageWriter(image))
    left = at

    def step() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    upserts = {key: n for key, n in CHANGES.items() if key not in gone}
    try:
        ImageWriter(image, step).change_routes(upserts, gone)
    except Killed:
        pass

    assert forwards(image, ImageWriter(image).routes())

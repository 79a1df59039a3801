"""The trie against a search through all routes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from jdaemons.pfe.lpm import QUARANTINE, TrieArrays, TrieFull, TrieSize, TrieWriter

Route = tuple[int, int]
"""Address and length."""


def arrays(root_bits: int, groups: int) -> TrieArrays:
    size = TrieSize(root_bits, groups)
    cells, depths, owners = (np.zeros(count, dtype) for dtype, count in size.columns)
    return TrieArrays(size, cells, depths, owners, np.zeros(1, np.uint32), np.zeros(1, np.uint32))


@dataclass
class Table:
    """A trie, the routes that should be in it, and the way to change both."""

    octets: int
    trie: TrieArrays
    routes: dict[Route, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.writer = TrieWriter(self.trie)

    def insert(self, route: Route, slot: int) -> None:
        self.routes[route] = slot
        self.writer.insert(self._row(route[0]), route[1], np.array([slot], np.uint32))

    def remove(self, route: Route) -> None:
        del self.routes[route]
        slot, length = 0, 0
        for shorter in range(route[1] - 1, 0, -1):
            parent = (self._cut(route[0], shorter), shorter)
            if parent in self.routes:
                slot, length = self.routes[parent], shorter
                break
        parents, lengths = np.array([slot], np.uint32), np.array([length], np.uint8)
        self.writer.remove(self._row(route[0]), route[1], parents, lengths)

    def best(self, address: int) -> int:
        for length in range(self.octets * 8, -1, -1):
            slot = self.routes.get((self._cut(address, length), length))
            if slot is not None:
                return slot
        return 0

    def _cut(self, address: int, length: int) -> int:
        spare = self.octets * 8 - length
        return address >> spare << spare

    def _row(self, address: int) -> NDArray[np.uint8]:
        return np.frombuffer(address.to_bytes(self.octets), np.uint8)[None, :]

    def check(self, addresses: list[int]) -> None:
        rows = np.concatenate([self._row(each) for each in addresses])

        assert [self.best(each) for each in addresses] == self.trie.lookup(rows).tolist()


def _routes(octets: int) -> st.SearchStrategy[list[tuple[Route, bool]]]:
    """Routes that crowd together, each to be inserted or removed."""
    bits = octets * 8

    def route(pair: tuple[int, int]) -> Route:
        address, length = pair
        return address >> (bits - length) << (bits - length), length

    near = st.integers(0, 2**bits - 1) | st.integers(0, 2**12 - 1).map(lambda low: low << 4)
    routes = st.tuples(near, st.integers(0, bits)).map(route)
    return st.lists(st.tuples(routes, st.booleans()), max_size=30)


def _run(octets: int, changes: list[tuple[Route, bool]]) -> None:
    table = Table(octets, arrays(8, 512))
    edges = {0, 2 ** (octets * 8) - 1}
    for number, (route, add) in enumerate(changes, 1):
        if add:
            table.insert(route, number)
        elif route in table.routes:
            table.remove(route)
        edges |= {route[0], route[0] | (2 ** (octets * 8 - route[1]) - 1)}
        edges |= {max(0, route[0] - 1)}
    table.check(sorted(edges))
    for route in list(table.routes):
        table.remove(route)

    assert not table.trie.cells[: 1 << table.trie.size.root_bits].any()
    assert not table.trie.owners.any()


@settings(deadline=None, max_examples=60)
@given(_routes(3))
def test_lookups_find_the_longest_match_whatever_came_and_went(
    changes: list[tuple[Route, bool]],
) -> None:
    _run(3, changes)


@settings(deadline=None, max_examples=40)
@given(_routes(16))
def test_ipv6_goes_as_deep_as_it_must(changes: list[tuple[Route, bool]]) -> None:
    _run(16, changes)


def test_every_address_of_a_small_space_is_right() -> None:
    table = Table(2, arrays(8, 300))
    rng = np.random.default_rng(1)
    for number in range(1, 200):
        length = int(rng.integers(0, 17))
        table.insert(
            (int(rng.integers(0, 1 << 16)) >> (16 - length) << (16 - length), length), number
        )
    for route in list(table.routes)[::3]:
        table.remove(route)

    table.check(list(range(1 << 16)))


def test_routes_of_one_length_are_installed_together() -> None:
    table = Table(4, arrays(16, 512))
    addresses = [(10 << 24) | (i << 8) for i in range(300)]
    rows = np.array([list(each.to_bytes(4)) for each in addresses], np.uint8)
    table.writer.insert(rows, 24, np.arange(1, 301, dtype=np.uint32))
    table.routes = {(each, 24): number for number, each in enumerate(addresses, 1)}

    table.check([each + 7 for each in addresses] + [11 << 24])


def test_a_trie_without_room_says_so_and_keeps_what_it_has() -> None:
    table = Table(3, arrays(8, 1))
    table.insert((0x010100, 16), 1)
    with pytest.raises(TrieFull, match="cannot install a route: all 1 groups"):
        table.insert((0x020200, 16), 2)
    del table.routes[(0x020200, 16)]

    table.check([0x010101, 0x020202])


def test_freed_groups_rest_before_they_are_used_again() -> None:
    table = Table(3, arrays(8, QUARANTINE + 100))
    for _ in range(QUARANTINE + 50):
        table.insert((0x010100, 16), 1)
        table.remove((0x010100, 16))

    assert QUARANTINE + 1 == table.trie.high[0]


def test_a_successor_frees_groups_that_nothing_points_to() -> None:
    trie = arrays(8, 4)
    trie.high[0] = 2
    trie.owners[:2] = 5
    trie.cells[4] = 0x80000001
    TrieWriter(trie)

    assert [0, 5, 0, 0] == trie.owners.tolist()

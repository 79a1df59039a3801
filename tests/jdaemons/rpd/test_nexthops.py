"""Numbers of next hops: a function of the set of those in use."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jdaemons.rpd.nexthops import DISCARD, Forwarding, NextHops, NextHopType, stable_number

HOPS = [
    Forwarding(NextHopType.UNICAST, "ge-0/0/0.0", 0, 0, bytes((192, 0, 2, number)))
    for number in range(8)
]


def crowded(hop: Forwarding, attempt: int) -> int:
    """Nearly all want the same."""
    return stable_number(hop, attempt) % 3 + 2 * attempt + 1


def by_the_book(hops: list[Forwarding]) -> dict[Forwarding, int]:
    ids: dict[Forwarding, int] = {}
    for hop in sorted(hops):
        attempt = 0
        while crowded(hop, attempt) in ids.values():
            attempt += 1
        ids[hop] = crowded(hop, attempt)
    return ids


def test_a_number_never_changes_between_processes() -> None:
    assert 0x0771F7CB == stable_number(DISCARD, 0)
    assert stable_number(HOPS[0], 0) != stable_number(HOPS[0], 1)
    assert stable_number(HOPS[0], 0) != stable_number(HOPS[1], 0)


def test_a_next_hop_is_told_when_it_comes_and_released_when_its_last_route_goes() -> None:
    hops = NextHops()
    number = stable_number(DISCARD, 0)
    hops.move(None, DISCARD)
    hops.move(None, DISCARD)
    come = hops.renumber()
    hops.move(DISCARD, None)
    one_left = hops.renumber()
    hops.move(DISCARD, None)
    gone = hops.renumber()

    assert ({number: DISCARD}, ()) == (come.next_hops, come.released)
    assert ({}, ()) == (one_left.next_hops, one_left.released)
    assert ({}, (number,)) == (gone.next_hops, gone.released)
    assert {} == hops.ids


def test_one_that_comes_and_goes_unseen_is_not_told() -> None:
    hops = NextHops()
    hops.move(None, DISCARD)
    hops.move(DISCARD, None)
    renumbering = hops.renumber()

    assert ({}, ()) == (renumbering.next_hops, renumbering.released)


moves = st.lists(
    st.tuples(st.sampled_from((None, *HOPS)), st.sampled_from((None, *HOPS)), st.booleans())
)


@given(moves)
def test_numbers_depend_on_the_set_in_use_alone(
    moves: list[tuple[Forwarding | None, Forwarding | None, bool]],
) -> None:
    hops, uses = NextHops(crowded), Counter[Forwarding]()
    known: dict[int, Forwarding] = {}
    for old, new, renumber in moves:
        if old is not None and not uses[old]:
            old = None
        hops.move(old, new)
        uses.subtract([old] if old else [])
        uses.update([new] if new else [])
        if renumber:
            before = {hop: number for number, hop in known.items()}
            change = hops.renumber()
            known.update(change.next_hops)
            for number in change.released:
                del known[number]
            assert known == {number: hop for hop, number in hops.ids.items()}
            assert change.moved == {h for h, n in hops.ids.items() if before.get(h, n) != n}
    hops.renumber()

    assert by_the_book([hop for hop, count in uses.items() if count]) == hops.ids

"""Names and indices: each name has one, and no two share it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jdaemons.dcd.names import InterfaceNameError, place_of

names = st.one_of(
    st.just("lo0"),
    st.builds(
        "{}-{}/{}/{}".format,
        st.sampled_from(("fe", "ge", "xe", "et")),
        st.integers(0, 31),
        st.integers(0, 3),
        st.integers(0, 127),
    ),
)
units = st.integers(0, 32767)


@given(st.tuples(names, units), st.tuples(names, units))
def test_two_interfaces_have_one_index_exactly_when_they_are_the_same(
    one: tuple[str, int], other: tuple[str, int]
) -> None:
    indices = [place_of(name).index(unit) for name, unit in (one, other)]

    assert (one == other) == (indices[0] == indices[1])
    assert all(0 < index < 1 << 32 for index in indices)


def test_interfaces_are_in_junos_order() -> None:
    found = sorted(("lo0", "xe-0/0/0", "ge-0/0/10", "ge-1/0/0", "ge-0/0/9"), key=place_of)

    assert ["ge-0/0/9", "ge-0/0/10", "ge-1/0/0", "xe-0/0/0", "lo0"] == found


@pytest.mark.parametrize(
    "name",
    ["", "lo1", "ge", "ge-0/0", "ge-0/0/0.0", "ge-32/0/0", "ge-0/4/0", "ge-0/0/128", "so-0/0/0"],
)
def test_a_name_that_no_chassis_has_is_refused(name: str) -> None:
    with pytest.raises(InterfaceNameError, match=f"^cannot use interface {name}"):
        place_of(name)


def test_a_unit_too_high_is_refused() -> None:
    with pytest.raises(InterfaceNameError, match="cannot number unit 32768: 32767 is the last"):
        place_of("ge-0/0/0").index(32768)
